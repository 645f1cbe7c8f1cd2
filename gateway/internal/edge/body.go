package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/libs/fault"
)

// depthMax bounds how deep messages may nest in a body.
const depthMax = 64

// hasBody reports whether requests of the method carry one.
func hasBody(method string) bool {
	return method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch
}

// checkBody holds the body against its type and size before a byte of it is read, and
// bounds what is read.
func (g *gate) checkBody(w http.ResponseWriter, r *http.Request, route Route) (int, *fault.Error) {
	limit := g.cfg.BodyMax
	if route.batch() {
		limit = g.cfg.BatchMax
	}
	switch {
	case r.ContentLength == 0:
		return 0, nil
	case !route.body:
		return 0, fault.New(fault.Invalid, "BODY_UNEXPECTED", "this method takes no body")
	case !isJSON(r.Header.Values("Content-Type")):
		return http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "CONTENT_TYPE", "the body must be application/json")
	case len(r.Header.Values("Content-Encoding")) > 0:
		return http.StatusUnsupportedMediaType, fault.New(fault.Invalid, "CONTENT_ENCODING", "the body must not be compressed")
	case r.ContentLength > limit:
		return 0, tooLarge(limit)
	}
	if deadline, ok := r.Context().Deadline(); ok {
		_ = http.NewResponseController(w).SetReadDeadline(deadline) // else the server's own bounds it
	}
	r.Body = &body{ReadCloser: http.MaxBytesReader(w, r.Body, limit)}
	return 0, nil
}

func tooLarge(limit int64) *fault.Error {
	return fault.New(fault.TooLarge, "BODY_TOO_LARGE", "the body is larger than %d bytes", limit).With("limit", strconv.FormatInt(limit, 10))
}

func isJSON(types []string) bool {
	if len(types) != 1 {
		return false
	}
	media, params, err := mime.ParseMediaType(types[0])
	charset := strings.ToLower(params["charset"])
	return err == nil && media == "application/json" && (charset == "" || charset == "utf-8")
}

// body is a request's body that remembers why it could not be decoded: the generated
// handlers keep only a text.
type body struct {
	io.ReadCloser
	fault  *fault.Error
	status int // of the answer, 0 for that of the fault's kind
}

// codec is JSON as the API speaks it: unknown fields refused, defaults written, int64 as strings.
type codec struct{}

var (
	marshal   = protojson.MarshalOptions{EmitDefaultValues: true}
	unmarshal = protojson.UnmarshalOptions{RecursionLimit: depthMax}
)

// ContentType implements runtime.Marshaler.
func (codec) ContentType(any) string { return "application/json" }

// Marshal implements runtime.Marshaler.
func (codec) Marshal(v any) ([]byte, error) {
	m, ok := v.(proto.Message)
	if !ok {
		return json.Marshal(v)
	}
	return marshal.Marshal(m)
}

// Unmarshal implements runtime.Marshaler.
func (codec) Unmarshal(data []byte, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return json.Unmarshal(data, v)
	}
	return unmarshal.Unmarshal(data, m)
}

// NewDecoder implements runtime.Marshaler.
func (c codec) NewDecoder(r io.Reader) runtime.Decoder {
	return runtime.DecoderFunc(func(v any) error {
		data, err := io.ReadAll(r)
		if err == nil && len(bytes.TrimSpace(data)) == 0 {
			return io.EOF
		}
		if err == nil {
			err = c.Unmarshal(data, v)
		}
		if b, ok := r.(*body); ok && err != nil {
			if b.fault = undecodable(data, err); b.fault.Reason == reasonSlow {
				b.status = http.StatusRequestTimeout
			}
		}
		return err
	})
}

// NewEncoder implements runtime.Marshaler.
func (c codec) NewEncoder(w io.Writer) runtime.Encoder {
	return runtime.EncoderFunc(func(v any) error {
		data, err := c.Marshal(v)
		if err == nil {
			_, err = w.Write(data)
		}
		return err
	})
}

var position = regexp.MustCompile(`\(line (\d+):(\d+)\):? ?`)

// reasonSlow is the reason of a body that did not come in time.
const reasonSlow = "BODY_TIMEOUT"

// undecodable says what is wrong with a body, and where.
func undecodable(data []byte, err error) *fault.Error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return tooLarge(large.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fault.New(fault.Deadline, reasonSlow, "the body did not come in time; nothing was done")
	}
	text := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
	at := position.FindStringSubmatchIndex(text)
	if at == nil {
		if strings.Contains(text, "recursion depth") {
			return fault.New(fault.Invalid, "JSON_TOO_DEEP", "the body nests deeper than %d levels", depthMax)
		}
		return fault.New(fault.Invalid, "JSON_MALFORMED", "the body cannot be read")
	}
	line, _ := strconv.Atoi(text[at[2]:at[3]])
	column, _ := strconv.Atoi(text[at[4]:at[5]])
	what := text[:at[0]] + text[at[1]:]
	reason := "FIELD_INVALID"
	switch {
	case strings.Contains(what, "syntax error") || strings.Contains(what, "unexpected token"):
		reason = "JSON_MALFORMED"
	case strings.Contains(what, "unknown field"):
		reason = "FIELD_UNKNOWN"
	}
	return fault.New(fault.Invalid, reason, "the body cannot be read: %s", what).
		WithField("#"+pointerAt(data, offsetOf(data, line, column)), reason, "line %d, column %d: %s", line, column, what)
}

// offsetOf returns the byte at a line and column, both from 1; columns count runes.
func offsetOf(data []byte, line, column int) int64 {
	offset := 0
	for ; line > 1; line-- {
		i := bytes.IndexByte(data[offset:], '\n')
		if i < 0 {
			break
		}
		offset += i + 1
	}
	for i := range string(data[offset:]) {
		if column--; column == 0 {
			return int64(offset + i)
		}
	}
	return int64(len(data))
}

// pointerAt returns the JSON pointer of the key or value that stands at the offset.
func pointerAt(data []byte, offset int64) string {
	type level struct {
		object, value bool // in an object; its key has been read
		key           string
		index         int
	}
	var levels []level
	dec := json.NewDecoder(bytes.NewReader(data))
	path := func() string {
		var b strings.Builder
		for _, l := range levels {
			b.WriteByte('/')
			if l.object {
				b.WriteString(escapePointer(l.key))
			} else {
				b.WriteString(strconv.Itoa(l.index))
			}
		}
		return b.String()
	}
	for {
		token, err := dec.Token()
		if err != nil {
			return path()
		}
		at := len(levels) - 1
		if key, ok := token.(string); ok && at >= 0 && levels[at].object && !levels[at].value {
			levels[at].key, levels[at].value = key, true
			if dec.InputOffset() > offset {
				return path()
			}
			continue
		}
		if dec.InputOffset() > offset {
			return path()
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			levels = append(levels, level{object: token == json.Delim('{')})
			continue
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:at]
		}
		if at = len(levels) - 1; at >= 0 { // a value has ended
			levels[at].value = false
			levels[at].index++
		}
	}
}
