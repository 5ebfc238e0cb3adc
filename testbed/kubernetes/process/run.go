package process

import "fmt"

// Run starts a program that ends by itself, and returns when it has. It is not one of the bed's processes afterwards;
// its output is appended to its log.
func (g *Group) Run(spec Spec) error {
	process := &entry{spec: spec}
	g.mutex.Lock()
	err := g.start(process)
	process.expected = true
	g.mutex.Unlock()
	if err != nil {
		return err
	}
	<-process.ended
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if process.how != "exit status 0" {
		return fmt.Errorf("%s; the last lines of %s:\n%s", process.how, g.Log(spec.Name), g.Tail(spec.Name, 10))
	}
	return nil
}
