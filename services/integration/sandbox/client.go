// Package sandbox drives the suite as the systems around it do: an ERP, a WMS, a
// TMS and carriers that speak over the public API only. It is the demo's cast, the
// end-to-end tests' load, and the seed of the partners' sandbox.
package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Client speaks the public REST API with one credential. A mutation is retried under
// its own idempotency key while its effect is unknown or the suite is busy.
type Client struct {
	Base  string // scheme, host and port of the gateway
	Token string // bearer token
	HTTP  *http.Client
	// Patience bounds the time one call may take with its retries; zero means 30 s.
	Patience time.Duration
}

// Problem is an RFC 9457 answer.
type Problem struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Pointer string `json:"pointer"`
		Reason  string `json:"reason"`
		Detail  string `json:"detail"`
	} `json:"errors"`
}

// Error implements error.
func (p *Problem) Error() string {
	s := fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
	for _, e := range p.Errors {
		s += fmt.Sprintf("; %s %s: %s", e.Pointer, e.Reason, e.Detail)
	}
	return s
}

// Get reads path into out; a *Problem when it is refused.
func (c *Client) Get(ctx context.Context, path string, out proto.Message) error {
	return c.Do(ctx, http.MethodGet, path, "", nil, out)
}

// Post sends in to path under an idempotency key.
func (c *Client) Post(ctx context.Context, path, key string, in, out proto.Message) error {
	return c.Do(ctx, http.MethodPost, path, key, in, out)
}

// Do calls the API and retries what may be retried: transport errors, 429, 503 and a key in progress.
func (c *Client) Do(ctx context.Context, method, path, key string, in, out proto.Message) error {
	patience := c.Patience
	if patience == 0 {
		patience = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var body []byte
	if in != nil {
		var err error
		if body, err = protojson.Marshal(in); err != nil {
			return fault.New(fault.Internal, "REQUEST_UNREADABLE", "request cannot be written as JSON").Wrap(err)
		}
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 2*time.Second) {
		again, err := c.once(ctx, method, path, key, body, out)
		if err == nil || again == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(max(again-1, time.Duration(rand.Int64N(int64(wait)))+1)):
		}
	}
}

// once makes one attempt; again > 0 says that another may help, after at least again-1.
func (c *Client) once(ctx context.Context, method, path, key string, body []byte, out proto.Message) (again time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, method, c.Base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Authorization", "Bearer "+c.Token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return 1, err
	}
	defer func() { _ = resp.Body.Close() }() // read whole below
	data, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
	if err != nil {
		return 1, err
	}
	if resp.StatusCode < 300 {
		if out == nil {
			return 0, nil
		}
		return 0, protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, out)
	}
	p := &Problem{Status: resp.StatusCode}
	if err := json.Unmarshal(data, p); err != nil {
		p.Detail = string(data)
	}
	return retryAfter(resp, p), p
}

func retryAfter(resp *http.Response, p *Problem) time.Duration {
	switch {
	case resp.StatusCode == http.StatusTooManyRequests, resp.StatusCode == http.StatusServiceUnavailable, p.Code == "IDEMPOTENCY_IN_PROGRESS":
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil {
			return time.Duration(s)*time.Second + 1
		}
		return 1
	}
	return 0
}
