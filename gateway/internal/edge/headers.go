package edge

import (
	"context"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"unicode/utf8"

	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
)

// Headers that reach a service, with their names there. Everything else stays here: what a
// proxy says of the client, and all that looks like metadata of our own.
var forwarded = map[string]string{
	"Idempotency-Key": guard.MetaKey,
	"If-Match":        guard.MetaIfMatch,
	"Accept-Language": "accept-language",
}

// kept are the headers that the router itself needs.
var kept = []string{"Content-Type", "Content-Encoding"}

// incoming is the router's list for requests.
func incoming(key string) (string, bool) {
	name, ok := forwarded[textproto.CanonicalMIMEHeaderKey(key)]
	return name, ok
}

// outgoing is the router's list for answers.
func outgoing(key string) (string, bool) {
	if key == guard.MetaReplayed {
		return "Idempotency-Replayed", true
	}
	return "", false
}

// identify names the request to the service; the value cannot come from a header.
func identify(ctx context.Context, _ *http.Request) metadata.MD {
	return metadata.Pairs(guard.MetaRequestID, notesOf(ctx).id)
}

// normalise passes on a request that has only the listed headers, in one spelling, and a
// deadline. Its own timeout header, if it had one, is gone.
func (g *gate) normalise(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if query, err := url.QueryUnescape(r.URL.RawQuery); err != nil || !utf8.ValidString(query) {
			problem(w, r, 0, fault.New(fault.Invalid, "QUERY_MALFORMED", "the query must be UTF-8, escaped as RFC 3986 says"))
			return
		}
		if !utf8.ValidString(r.URL.Path) {
			problem(w, r, 0, fault.New(fault.Invalid, "PATH_MALFORMED", "the path must be UTF-8, escaped as RFC 3986 says"))
			return
		}
		header := http.Header{}
		for _, name := range kept {
			if values := r.Header.Values(name); len(values) > 0 {
				header[name] = values
			}
		}
		for name := range forwarded {
			values := r.Header.Values(name)
			switch {
			case len(values) == 0:
				continue
			case len(values) > 1:
				problem(w, r, 0, fault.New(fault.Invalid, "HEADER_REPEATED", "%s may come once", name))
				return
			}
			value, f := plain(name, values[0])
			if f != nil {
				problem(w, r, 0, f)
				return
			}
			header.Set(name, value)
		}
		ctx, cancel := context.WithTimeout(r.Context(), g.cfg.Deadline)
		defer cancel()
		inner := r.WithContext(ctx)
		inner.Header = header
		next.ServeHTTP(w, inner)
	})
}

// plain takes the quotes off an entity tag, and off a key that comes as the structured
// field that the draft describes.
func plain(name, value string) (string, *fault.Error) {
	for i := range len(value) {
		if value[i] < ' ' || value[i] > '~' {
			return "", fault.New(fault.Invalid, "HEADER_MALFORMED", "%s has characters that are not visible ASCII", name)
		}
	}
	if name == "Accept-Language" {
		return value, nil
	}
	inner, quoted := strings.CutPrefix(value, `"`)
	if quoted {
		inner, quoted = strings.CutSuffix(inner, `"`)
		if !quoted || strings.ContainsAny(inner, `"\`) {
			return "", fault.New(fault.Invalid, "HEADER_MALFORMED", "%s names more or less than one quoted value", name)
		}
		return inner, nil
	}
	if name == "If-Match" && (strings.HasPrefix(value, "W/") || strings.Contains(value, ",")) {
		return "", fault.New(fault.Invalid, "HEADER_MALFORMED", "If-Match takes one strong entity tag")
	}
	return value, nil
}

// etag puts the version that an answer carries into its ETag header: of a receipt, or of
// the resource that was read.
func etag(_ context.Context, w http.ResponseWriter, m proto.Message) error {
	if m == nil {
		return nil
	}
	if tag := etagIn(m.ProtoReflect(), 1); tag != "" {
		w.Header().Set("ETag", `"`+tag+`"`)
	}
	return nil
}

// etagIn finds the field etag in a message, or in its only message field.
func etagIn(m protoreflect.Message, deeper int) string {
	fields := m.Descriptor().Fields()
	if f := fields.ByName("etag"); f != nil && f.Kind() == protoreflect.StringKind && !f.IsList() {
		return m.Get(f).String()
	}
	if deeper == 0 || fields.Len() == 0 {
		return ""
	}
	f := fields.Get(0)
	if fields.Len() > 1 {
		f = fields.ByName("receipt")
	}
	if f == nil || f.Message() == nil || f.IsList() || f.IsMap() {
		return ""
	}
	return etagIn(m.Get(f).Message(), deeper-1)
}
