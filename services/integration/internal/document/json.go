package document

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// depthMax bounds how deep messages may nest, as it does for a request's body.
const depthMax = 64

// jsonReader reads the values of a JSON array, of JSON lines, or one object.
type jsonReader struct {
	spec    Spec
	data    []byte
	pos     int
	line    int64
	records int64
	lines   bool // one value a line
	array   bool
	bare    bool
	done    bool
}

func openJSON(spec Spec, data []byte, at domain.Place, bare bool) (*jsonReader, []Error) {
	r := &jsonReader{spec: spec, data: data, line: 1, bare: bare}
	if bytes.HasPrefix(data, bom) {
		r.pos = len(bom)
	}
	r.space("")
	if r.pos == len(data) {
		return nil, []Error{{Line: 1, Reason: "EMPTY", Message: "the document has no value"}}
	}
	switch {
	case data[r.pos] == '[':
		r.array = true
		r.move(r.pos + 1)
	case !json.Valid(data[r.pos:]): // more than one object, or a broken one
		r.lines = true
	}
	if at.Offset > 0 {
		r.pos, r.line, r.records = int(at.Offset), at.Line, at.Records
	}
	return r, nil
}

func (r *jsonReader) Place() domain.Place {
	return domain.Place{Offset: int64(r.pos), Line: r.line, Records: r.records}
}

// move goes on to a byte and counts the lines on the way.
func (r *jsonReader) move(to int) {
	r.line += int64(bytes.Count(r.data[r.pos:to], []byte{'\n'}))
	r.pos = to
}

// space skips white space and what else is told.
func (r *jsonReader) space(also string) {
	at := r.pos
	for at < len(r.data) && strings.IndexByte(" \t\r\n"+also, r.data[at]) >= 0 {
		at++
	}
	r.move(at)
}

// Next reads the next value. One of number 0 says that the rest cannot be read.
func (r *jsonReader) Next() (Record, bool) {
	if r.done {
		return Record{}, false
	}
	if r.lines {
		return r.nextLine()
	}
	r.space("")
	comma := r.records > 0 && r.pos < len(r.data) && r.data[r.pos] == ','
	if comma {
		r.move(r.pos + 1)
		r.space("")
	}
	switch {
	case !r.array && r.records > 0:
		return r.end(r.pos == len(r.data))
	case r.array && !comma && r.pos < len(r.data) && r.data[r.pos] == ']':
		r.move(r.pos + 1)
		r.space("")
		return r.end(r.pos == len(r.data))
	case r.array && r.records > 0 && !comma:
		return r.end(false)
	}
	dec := json.NewDecoder(bytes.NewReader(r.data[r.pos:]))
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		at := r.pos + int(dec.InputOffset())
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			at = r.pos + max(0, int(syntax.Offset)-1)
		} else if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			at = len(r.data)
		}
		r.move(min(at, len(r.data)))
		return r.end(false)
	}
	line, start := r.line, r.pos
	r.records++
	r.move(r.pos + int(dec.InputOffset()))
	return r.record(start, line), true
}

// end ends an array or object; a fault is a record of number 0.
func (r *jsonReader) end(well bool) (Record, bool) {
	r.done = true
	if well {
		return Record{}, false
	}
	line, position := placeOf(r.data, r.pos)
	return Record{Line: line, Errors: []Error{{Line: line, Position: position, Reason: "JSON_MALFORMED", Message: "the JSON cannot be read from here on"}}}, true
}

// nextLine reads the value of the next line that has one. A line that is no value is a
// record of its own: the others are read all the same.
func (r *jsonReader) nextLine() (Record, bool) {
	r.space("")
	if r.pos == len(r.data) {
		return Record{}, false
	}
	end := len(r.data)
	if i := bytes.IndexByte(r.data[r.pos:], '\n'); i >= 0 {
		end = r.pos + i + 1
	}
	line, start := r.line, r.pos
	r.records++
	r.move(end)
	return r.record(start, line), true
}

var (
	jsonPlace  = regexp.MustCompile(`\(line (\d+):(\d+)\):? ?`)
	jsonFields = regexp.MustCompile(`(?:unknown field|duplicate field|for \w+ field) "?([A-Za-z0-9_.]+)"?`)
)

// record reads the value between start and pos into its message.
func (r *jsonReader) record(start int, line int64) Record {
	raw := r.data[start:r.pos]
	record := Record{Number: r.records, Line: line, Rows: 1}
	if r.bare {
		return record
	}
	if len(raw) > maxRecord {
		record.Errors = []Error{record.Refuse("", "RECORD_TOO_LARGE", "the record is larger than 1 MiB")}
		return record
	}
	m := schemas[r.spec.Type].message()
	if err := (protojson.UnmarshalOptions{RecursionLimit: depthMax}).Unmarshal(raw, m); err != nil {
		record.Errors = []Error{r.unreadable(record, start, err)}
		return record
	}
	record.Message, record.Key = m, keyOf(m)
	complete(&record, r.spec)
	check(&record)
	record.Errors = record.Errors[:min(len(record.Errors), maxErrors)]
	return record
}

// unreadable says what of a value cannot be read, and where.
func (r *jsonReader) unreadable(record Record, start int, err error) Error {
	text := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
	e := Error{Line: record.Line, Record: record.Number, Reason: "FIELD_INVALID", Message: jsonPlace.ReplaceAllString(text, "")}
	if !json.Valid(r.data[start:r.pos]) {
		e.Reason = "JSON_MALFORMED"
	}
	if f := jsonFields.FindStringSubmatch(text); f != nil {
		e.Field = f[1]
	}
	if at := jsonPlace.FindStringSubmatch(text); at != nil {
		line, _ := strconv.Atoi(at[1])
		e.Position, _ = strconv.Atoi(at[2])
		e.Line += int64(line) - 1
		if line == 1 { // a value may begin within its line
			_, begins := placeOf(r.data, start)
			e.Position += begins - 1
		}
	} else if e.Reason == "JSON_MALFORMED" { // it ends too early
		e.Line, e.Position = placeOf(r.data, start+len(bytes.TrimRight(r.data[start:r.pos], " \t\r\n")))
	}
	return e
}
