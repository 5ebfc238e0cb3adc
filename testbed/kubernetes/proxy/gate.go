package proxy

import (
	"io"
	"net"
	"sync"
	"time"
)

// A Gate passes connections of one listener on to a fixed address. Its methods may be called by several threads.
type Gate struct {
	name         string
	target       string
	seesRequests bool

	mutex   sync.Mutex
	rule    Rule
	used    int           // how often the rule acted
	changed chan struct{} // closed when the rule changes
	count   Count
}

// Count is what went through a gate since the start.
type Count struct {
	Connections int   `json:"connections"`
	Open        int   `json:"open"`
	ToClient    int64 `json:"bytes_to_client"`
	ToServer    int64 `json:"bytes_to_server"`
	Broken      int   `json:"broken"` // connections cut or refused, requests answered by a status
}

// NewGate makes a gate that is whole. One that seesRequests has a Front or an ObjectFront behind it.
func NewGate(name, target string, seesRequests bool) *Gate {
	return &Gate{name: name, target: target, seesRequests: seesRequests, changed: make(chan struct{})}
}

// Name is the listener's name.
func (g *Gate) Name() string { return g.name }

// Break sets a rule in the place of the one before.
func (g *Gate) Break(rule Rule) error {
	if err := rule.Check(g.seesRequests); err != nil {
		return err
	}
	g.set(rule)
	return nil
}

// Heal ends misbehaving.
func (g *Gate) Heal() { g.set(Rule{}) }

func (g *Gate) set(rule Rule) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	g.rule, g.used = rule, 0
	close(g.changed)
	g.changed = make(chan struct{})
}

// State is the rule, if there is one, and the counts.
func (g *Gate) State() (*Rule, Count) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.rule == (Rule{}) {
		return nil, g.count
	}
	rule := g.rule
	return &rule, g.count
}

func (g *Gate) current() (Rule, <-chan struct{}) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	return g.rule, g.changed
}

// Takes one of the rule's times; false when they are used up.
func (g *Gate) take() bool {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	if g.rule.Times > 0 && g.used >= g.rule.Times {
		return false
	}
	g.used++
	g.count.Broken++
	return true
}

// Serve passes connections on until the listener is closed.
func (g *Gate) Serve(listener net.Listener) error {
	for {
		client, err := listener.Accept()
		if err != nil {
			return err
		}
		go g.pass(client.(*net.TCPConn))
	}
}

func (g *Gate) pass(client *net.TCPConn) {
	g.note(func(count *Count) { count.Connections++; count.Open++ })
	defer g.note(func(count *Count) { count.Open-- })
	if rule, _ := g.current(); rule.Refuse && g.take() {
		reset(client)
		return
	}
	dialed, err := net.Dial("tcp", g.target)
	if err != nil {
		// A closed port answers by a reset, and so shall we: the server behind is down.
		reset(client)
		return
	}
	server := dialed.(*net.TCPConn)
	both := &pair{gate: g, client: client, server: server, gone: make(chan struct{})}
	var ends sync.WaitGroup
	ends.Go(func() { both.copy(client, server, true) })
	ends.Go(func() { both.copy(server, client, false) })
	ends.Wait()
	client.Close()
	server.Close()
}

func (g *Gate) note(change func(*Count)) {
	g.mutex.Lock()
	defer g.mutex.Unlock()
	change(&g.count)
}

func reset(connection *net.TCPConn) {
	_ = connection.SetLinger(0) // Close then sends RST instead of FIN
	connection.Close()
}

// A pair is the two connections of one client.
type pair struct {
	gate           *Gate
	client, server *net.TCPConn
	once           sync.Once
	gone           chan struct{} // closed when either connection broke
}

func (p *pair) abort() {
	p.once.Do(func() {
		close(p.gone)
		reset(p.client)
		reset(p.server)
	})
}

// Copies one way until its end. A clean end is passed on as one; the other way may go on.
func (p *pair) copy(to, from *net.TCPConn, toClient bool) {
	buffer := make([]byte, 32<<10)
	sent := int64(0)          // under the rule as it is
	var under <-chan struct{} // the rule that counts for sent
	for {
		length, err := from.Read(buffer)
		if length > 0 {
			rule, changed, open := p.hold(int64(length))
			if !open {
				return
			}
			if under != changed {
				under, sent = changed, 0
			}
			cut := toClient && rule.CutAfter > 0 && sent+int64(length) >= rule.CutAfter && p.gate.take()
			if cut {
				length = int(rule.CutAfter - sent)
			}
			if _, err := to.Write(buffer[:length]); err != nil {
				p.abort()
				return
			}
			sent += int64(length)
			p.gate.note(func(count *Count) {
				if toClient {
					count.ToClient += int64(length)
				} else {
					count.ToServer += int64(length)
				}
			})
			if cut {
				// What was written must reach the client before the reset throws its buffers away.
				time.Sleep(20 * time.Millisecond)
				p.abort()
				return
			}
		}
		if err == io.EOF {
			_ = to.CloseWrite()
			return
		}
		if err != nil {
			p.abort()
			return
		}
	}
}

// Holds data back for as long as the rules say; not open when the connection broke meanwhile.
func (p *pair) hold(length int64) (rule Rule, changed <-chan struct{}, open bool) {
	for {
		rule, changed = p.gate.current()
		wait := rule.Delay
		if rule.BytesPerSecond > 0 {
			wait += time.Duration(float64(length) / float64(rule.BytesPerSecond) * float64(time.Second))
		}
		var after <-chan time.Time
		if !rule.BlackHole {
			if wait == 0 {
				return rule, changed, true
			}
			after = time.After(wait)
		}
		select {
		case <-after:
			return rule, changed, true
		case <-changed: // judged anew: a healed connection goes on at once
		case <-p.gone:
			return rule, changed, false
		}
	}
}
