package load

import (
	"context"
	"sync"
)

const workers = 12

// Runs work for 0 to count-1, some at once; the first error ends it.
func inParallel(ctx context.Context, count int, work func(ctx context.Context, at int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var all sync.WaitGroup
	for range min(workers, count) {
		all.Go(func() {
			for at := range next {
				if err := work(ctx, at); err != nil {
					cancel(err)
				}
			}
		})
	}
	for at := 0; at < count && ctx.Err() == nil; at++ {
		select {
		case next <- at:
		case <-ctx.Done():
		}
	}
	close(next)
	all.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}
