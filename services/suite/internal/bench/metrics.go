package bench

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// histogram is a cumulative count by upper bound, as Prometheus has it.
type histogram map[float64]float64

var lagLine = regexp.MustCompile(`^bus_lag_seconds_bucket\{.*consumer="([^"]+)".*le="([^"]+)".*\} (\S+)`)

// lags reads how long facts took from commit to effect, by consumer.
func (e *running) lags(ctx context.Context) (map[string]histogram, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+e.probe+"/metrics", http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // read whole
	byConsumer := map[string]histogram{}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := lagLine.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		bound, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, err
		}
		count, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			return nil, err
		}
		if byConsumer[m[1]] == nil {
			byConsumer[m[1]] = histogram{}
		}
		byConsumer[m[1]][bound] += count
	}
	if len(byConsumer) == 0 {
		return nil, fmt.Errorf("no lag among the metrics of %s", e.probe)
	}
	return byConsumer, lines.Err()
}

// quiet returns the lags once no consumer has anything to do any more: when nothing was
// applied for a second.
func (e *running) quiet(ctx context.Context) (map[string]histogram, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	last, err := e.lags(ctx)
	for err == nil {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, fmt.Errorf("consumers do not come to rest: %w", ctx.Err())
		}
		var now map[string]histogram
		if now, err = e.lags(ctx); err == nil && maps.EqualFunc(last, now, maps.Equal) {
			return now, nil
		}
		last = now
	}
	return nil, err
}

func (h histogram) add(other histogram) {
	for bound, count := range other {
		h[bound] += count
	}
}

func (h histogram) since(before histogram) histogram {
	out := histogram{}
	for bound, count := range h {
		out[bound] = count - before[bound]
	}
	return out
}

// quantile interpolates inside the bucket that holds it.
func (h histogram) quantile(q float64) float64 {
	var bounds []float64
	for b := range h {
		bounds = append(bounds, b)
	}
	slices.Sort(bounds)
	total := h[math.Inf(1)]
	lower, below := 0.0, 0.0
	for _, b := range bounds {
		if h[b] >= q*total && h[b] > below {
			if math.IsInf(b, 1) {
				return lower
			}
			return lower + (b-lower)*(q*total-below)/(h[b]-below)
		}
		lower, below = b, h[b]
	}
	return lower
}
