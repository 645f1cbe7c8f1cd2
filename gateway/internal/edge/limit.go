package edge

import (
	"net/http"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// Limits of what comes before a body; net/http itself bounds the bytes of the headers.
const (
	urlMax    = 8 << 10
	headerMax = 64 // fields
	// HeaderBytes is the limit for http.Server.MaxHeaderBytes.
	HeaderBytes = 16 << 10
)

// limit refuses requests that are too long or too many before anything is done for them.
func (g *gate) limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fields := 0
		for _, values := range r.Header {
			fields += len(values)
		}
		switch {
		case len(r.RequestURI) > urlMax:
			problem(w, r, http.StatusRequestURITooLong, fault.New(fault.Invalid, "URL_TOO_LONG", "the URL is longer than %d bytes", urlMax))
			return
		case fields > headerMax:
			problem(w, r, http.StatusRequestHeaderFieldsTooLarge, fault.New(fault.Invalid, "TOO_MANY_HEADERS", "the request has more than %d header fields", headerMax))
			return
		}
		select {
		case g.slots <- struct{}{}:
			defer func() { <-g.slots }()
			next.ServeHTTP(w, r)
		default:
			problem(w, r, http.StatusServiceUnavailable, fault.New(fault.Exhausted, overloaded, "the gateway is working on as much as it can"))
		}
	})
}

// overloaded is the reason why requests beyond what is worked on at a time are refused.
const overloaded = "OVERLOADED"

// secure sets the headers that every answer carries.
func (g *gate) secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		if g.cfg.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}
