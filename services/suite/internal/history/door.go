package history

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Door is the way to the gateway, with a look at every answer that comes back: what a patient
// client sends again, nobody behind it ever sees.
type Door struct {
	http.Transport
	mu   sync.Mutex
	seen Answers
}

// Answers are what clients were answered, attempt by attempt.
type Answers struct {
	Status  map[int]int   // how many, by HTTP status; 0 for a request without an answer
	Longest time.Duration // until one came
	wrong   map[string]*wrong
}

// wrong is a kind of answer that no client may get.
type wrong struct {
	count int
	first string
}

// RoundTrip implements http.RoundTripper.
func (d *Door) RoundTrip(req *http.Request) (*http.Response, error) {
	begin := time.Now()
	resp, err := d.Transport.RoundTrip(req)
	took := time.Since(begin)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen.add(req, resp, begin, took)
	return resp, err
}

// add notes an answer, nil for none.
func (a *Answers) add(req *http.Request, resp *http.Response, begin time.Time, took time.Duration) {
	if a.Status == nil {
		a.Status, a.wrong = map[int]int{}, map[string]*wrong{}
	}
	a.Longest = max(a.Longest, took)
	if resp == nil {
		a.Status[0]++
		return
	}
	a.Status[resp.StatusCode]++
	what := fault(resp)
	if what == "" {
		return
	}
	if a.wrong[what] == nil {
		a.wrong[what] = &wrong{first: fmt.Sprintf("%s %s at %s, request %s", req.Method, req.URL.Path, begin.Format("15:04:05.000"), resp.Header.Get("X-Request-Id"))}
	}
	a.wrong[what].count++
}

// fault says what is wrong with an answer, "" for nothing: a failure of the suite is one that
// clients may wait out, and whoever is to come back is told when.
func fault(resp *http.Response) string {
	s := resp.StatusCode
	switch {
	case s >= http.StatusInternalServerError && s != http.StatusServiceUnavailable && s != http.StatusGatewayTimeout:
		return fmt.Sprintf("are %d", s)
	case (s == http.StatusTooManyRequests || s == http.StatusServiceUnavailable) && resp.Header.Get("Retry-After") == "":
		return fmt.Sprintf("are %d without Retry-After", s)
	default:
		return ""
	}
}

// Seen is what came back since the last Reset.
func (d *Door) Seen() Answers {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := Answers{Status: maps.Clone(d.seen.Status), Longest: d.seen.Longest, wrong: map[string]*wrong{}}
	for what, w := range d.seen.wrong {
		clone := *w
		a.wrong[what] = &clone
	}
	return a
}

// Reset forgets what came back.
func (d *Door) Reset() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seen = Answers{}
}

// Wrong are the kinds of answers that no client may get: a 5xx that is neither 503 nor 504,
// and a 429 or 503 that does not say when to come back.
func (a Answers) Wrong() (lines []string) {
	for _, what := range slices.Sorted(maps.Keys(a.wrong)) {
		w := a.wrong[what]
		lines = append(lines, fmt.Sprintf("%d answers %s, the first to %s", w.count, what, w.first))
	}
	return lines
}

// String lists how many there were, by status.
func (a Answers) String() string {
	var parts []string
	for _, s := range slices.Sorted(maps.Keys(a.Status)) {
		name := fmt.Sprint(s)
		if s == 0 {
			name = "none"
		}
		parts = append(parts, fmt.Sprintf("%s: %d", name, a.Status[s]))
	}
	return strings.Join(parts, ", ")
}
