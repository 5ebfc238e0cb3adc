package load

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"tidemark.test/kubernetes/api"
)

// A Churning is what Churn has done. A failed call may have been carried out.
type Churning struct {
	Calls     int            `json:"calls"`
	Succeeded int            `json:"succeeded"`
	Failed    int            `json:"failed"`
	Errors    map[string]int `json:"errors,omitempty"`
	Longest   float64        `json:"longest_seconds"` // that no call succeeded
	Left      int            `json:"objects_left"`
	Seconds   float64        `json:"seconds"`

	mutex sync.Mutex
	last  time.Time
}

const (
	churnNamespace = "churn"
	callTime       = 5 * time.Second
)

// Churn creates, changes and deletes ConfigMaps, Secrets and Leases at a rate, for a time. Calls that fail are counted,
// the first one too: whoever breaks the API server does not have to wait until all has begun.
func Churn(ctx context.Context, client *api.Client, seed uint64, perSecond float64, span time.Duration) (*Churning, error) {
	churning := &Churning{Errors: map[string]int{}, last: time.Now()}
	started := time.Now()
	ctx, cancel := context.WithTimeout(ctx, span)
	defer cancel()
	tick := time.NewTicker(time.Duration(float64(time.Second) / perSecond))
	defer tick.Stop()
	if err := churning.begin(ctx, client, tick.C); err != nil {
		return churning, err
	}
	var all sync.WaitGroup
	for worker := range workers {
		all.Go(func() {
			churner := churner{
				client: client, worker: worker, run: started.UnixNano(),
				maker: newMaker(seed, "churn", worker), done: churning,
			}
			for {
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
					churner.call()
				}
			}
		})
	}
	all.Wait()
	churning.Longest = max(churning.Longest, time.Since(churning.last).Seconds())
	churning.Seconds = time.Since(started).Seconds()
	return churning, nil
}

// Makes the namespace, or sees that it is there. An error is a refusal: to try again would not help.
func (c *Churning) begin(ctx context.Context, client *api.Client, tick <-chan time.Time) error {
	namespace := api.Object{"apiVersion": "v1", "kind": "Namespace", "metadata": api.Object{"name": churnNamespace}}
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(context.Background(), callTime)
		err := client.Post(call, "/api/v1/namespaces", namespace, nil)
		cancel()
		if err == nil || isConflict(err) {
			return nil
		}
		if refused := new(api.StatusError); errors.As(err, &refused) && refused.Code < 500 {
			return err
		}
		c.note(err)
		<-tick
	}
	return nil
}

// One worker's objects: it alone changes them, so no call conflicts with another's.
type churner struct {
	client *api.Client
	worker int
	run    int64
	made   int
	paths  []string
	maker  *maker
	done   *Churning
}

var churned = []api.Resource{
	{Version: "v1", Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
	{Version: "v1", Name: "secrets", Kind: "Secret", Namespaced: true},
	{Group: "coordination.k8s.io", Version: "v1", Name: "leases", Kind: "Lease", Namespaced: true},
}

func (c *churner) call() {
	// A call is finished even when the time is over: else its success would be unknown.
	ctx, cancel := context.WithTimeout(context.Background(), callTime)
	defer cancel()
	switch what := c.maker.IntN(10); {
	case len(c.paths) < 3 || what < 3:
		resource := churned[c.maker.IntN(len(churned))]
		c.maker.namespace = churnNamespace
		c.made++
		name := fmt.Sprintf("churn-%x-%d-%d", c.run, c.worker, c.made)
		object := c.maker.object(resource.APIVersion(), resource.Kind, name, contents[resource.ID()](c.maker))
		delete(object, "immutable")
		err := c.client.Post(ctx, resource.Path(churnNamespace), object, nil)
		if err == nil {
			c.paths = append(c.paths, resource.Path(churnNamespace)+"/"+name)
			c.done.left(1)
		}
		c.done.note(err)
	case what < 8:
		change := api.Object{"metadata": api.Object{"annotations": api.Object{"changed": c.maker.text(200)}}}
		c.done.note(c.client.Patch(ctx, c.paths[c.maker.IntN(len(c.paths))], change, nil))
	default:
		at := c.maker.IntN(len(c.paths))
		err := c.client.Delete(ctx, c.paths[at])
		if err == nil {
			c.paths = append(c.paths[:at], c.paths[at+1:]...)
			c.done.left(-1)
		}
		c.done.note(err)
	}
}

func (c *Churning) left(change int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.Left += change
}

// Addresses and names differ from error to error.
var varying = regexp.MustCompile(`churn-[0-9a-f-]+|127\.0\.0\.1:\d+`)

func (c *Churning) note(err error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.Calls++
	if err != nil {
		c.Failed++
		c.Errors[varying.ReplaceAllString(err.Error(), "*")]++
		return
	}
	c.Succeeded++
	c.Longest = max(c.Longest, time.Since(c.last).Seconds())
	c.last = time.Now()
}
