package edge

import (
	"net/http"
	"strings"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// probes answers whether the gateway lives and is ready. It takes no slot: a gateway that is
// busy is alive, and one that is killed for it loses what it works on.
func (g *gate) probes(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case !reads(r):
			next.ServeHTTP(w, r)
			return
		case path == "/livez":
			w.WriteHeader(http.StatusNoContent)
		case path == "/readyz":
			if err := g.parts.Ready(r.Context()); err != nil {
				problem(w, r, 0, fault.New(fault.Unavailable, "NOT_READY", "the gateway is not ready"))
				return
			}
			w.WriteHeader(http.StatusNoContent)
		default:
			next.ServeHTTP(w, r)
			return
		}
		notesOf(r.Context()).route = r.URL.Path
	})
}

// open answers what needs no caller: the description of the API.
func (g *gate) open(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !reads(r) || r.URL.Path != "/openapi.json" || g.parts.OpenAPI == nil {
			next.ServeHTTP(w, r)
			return
		}
		notesOf(r.Context()).route = r.URL.Path
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(g.parts.OpenAPI) // a client that went away needs no answer
	})
}

func reads(r *http.Request) bool { return r.Method == http.MethodGet || r.Method == http.MethodHead }

// authenticate lets only known callers on, and says to the services who it is.
func (g *gate) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, err := g.caller(r)
		if err != nil {
			f, ok := fault.As(err)
			if !ok {
				f = fault.New(fault.Unauthenticated, "TOKEN_INVALID", "the token is not valid")
			}
			problem(w, r, 0, f)
			return
		}
		notesOf(r.Context()).caller = caller
		next.ServeHTTP(w, r.WithContext(guard.WithCaller(r.Context(), caller)))
	})
}

func (g *gate) caller(r *http.Request) (guard.Caller, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 1 {
		scheme, credential, _ := strings.Cut(values[0], " ")
		switch credential = strings.TrimSpace(credential); strings.ToLower(scheme) {
		case "bearer":
			return g.parts.Authenticate(credential)
		case "apikey":
			return g.parts.AuthenticateKey(r.Context(), credential)
		}
	}
	return guard.Caller{}, fault.New(fault.Unauthenticated, "TOKEN_REQUIRED", "the request needs one bearer token or API key")
}
