// Package document reads the documents that other systems send: CSV and JSON into the
// messages of the API, one a record, each with its place. It promises that what it reads
// is exact, that a bad record costs that record only, and that every error names its line.
package document

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"buf.build/go/protovalidate"
	"google.golang.org/protobuf/proto"

	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Spec says what a document is.
type Spec struct {
	Type   string // name of the contract's DocumentType value, e.g. "ORDERS"
	Format string // "CSV" or "JSON"
	System string // source system
}

// Record is one record of a document with its message, or with what is wrong with it.
type Record struct {
	Number  int64 // from 1
	Line    int64 // where it begins
	Rows    int64 // rows of CSV; 1 of JSON
	Key     string
	Message proto.Message // nil when there are errors
	Errors  []Error
	key     []string // of CSV
	locate  func(path string) (line int64, field string)
}

// Error is one error in a document.
type Error struct {
	Line     int64
	Field    string
	Position int // in characters, from 1; 0 for a value
	Record   int64
	Key      string
	Reason   string
	Message  string
}

// Place names the place of an error in one line, e.g. "line 7:12" or "line 7 quantity".
func (e Error) Place() string {
	text := "line " + strconv.FormatInt(e.Line, 10)
	if e.Position > 0 {
		text += ":" + strconv.Itoa(e.Position)
	}
	if e.Field != "" {
		text += " " + e.Field
	}
	return text
}

// Refuse returns an error about the record at the path of a field of its message, or
// about the whole of it.
func (r *Record) Refuse(path, reason, message string) Error {
	e := Error{Line: r.Line, Field: path, Record: r.Number, Key: r.Key, Reason: reason, Message: message}
	if r.locate != nil {
		e.Line, e.Field = r.locate(path)
	}
	return e
}

// Reader yields the records of a document from a place on.
type Reader interface {
	// Next returns the next record; false at the end.
	Next() (Record, bool)
	// Place returns the place after the last record.
	Place() domain.Place
}

// Open returns a reader from a place on, the zero place being the beginning. With bare
// set, records are told apart and counted, but not read. The errors are why nothing of
// the document can be read.
func Open(spec Spec, data []byte, at domain.Place, bare bool) (Reader, []Error) {
	if spec.Format == "CSV" {
		return openCSV(spec, data, at, bare)
	}
	return openJSON(spec, data, at, bare)
}

// Through reads a whole document: how much is in it, where its first record stands, and
// why nothing of it can be used. With full set, every error is returned.
func Through(spec Spec, data []byte, full bool) (rows, records int64, first domain.Place, errs []Error, usable bool) {
	if e, ok := checkUTF8(data); !ok {
		return 0, 0, first, []Error{e}, false
	}
	r, errs := Open(spec, data, domain.Place{}, !full)
	if len(errs) > 0 {
		return 0, 0, first, errs, false
	}
	first = r.Place()
	apart := &Apart{}
	if full {
		apart = FindApart(spec, data)
	}
	for {
		record, ok := r.Next()
		if !ok {
			break
		}
		if record.Number == 0 { // the structure is broken: nothing after it can be trusted
			return rows, records, first, record.Errors, false
		}
		rows, records = rows+record.Rows, records+1
		apart.Judge(&record)
		if full {
			errs = append(errs, record.Errors...)
		}
	}
	if records == 0 {
		return 0, 0, first, []Error{{Line: 1, Reason: "EMPTY", Message: "the document has no record"}}, false
	}
	return rows, records, first, errs, true
}

var bom = []byte("\ufeff")

// checkUTF8 finds the first byte that is no UTF-8.
func checkUTF8(data []byte) (Error, bool) {
	if utf8.Valid(data) {
		return Error{}, true
	}
	at := 0
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	line, position := placeOf(data, at)
	return Error{Line: line, Position: position, Reason: "ENCODING", Message: "the document is not UTF-8"}, false
}

// placeOf returns the line and the position in it, in characters, of a byte; both from 1.
func placeOf(data []byte, at int) (line int64, position int) {
	at = min(at, len(data))
	start := bytes.LastIndexByte(data[:at], '\n') + 1
	return int64(bytes.Count(data[:start], []byte{'\n'})) + 1, utf8.RuneCount(bytes.TrimPrefix(data[start:at], bom)) + 1
}

// check holds a record's message against the rules of its proto.
func check(r *Record) {
	if len(r.Errors) > 0 {
		r.Message = nil
		return
	}
	err := protovalidate.Validate(r.Message)
	if err == nil {
		return
	}
	var broken *protovalidate.ValidationError
	if !errors.As(err, &broken) {
		r.Errors = []Error{r.Refuse("", "VALUE_INVALID", "the record cannot be checked")}
		r.Message = nil
		return
	}
	for _, v := range broken.Violations {
		reason := strings.ToUpper(strings.NewReplacer(".", "_", "-", "_").Replace(v.Proto.GetRuleId()))
		if v.Proto.GetRuleId() == "required" {
			reason = "VALUE_MISSING"
		}
		r.Errors = append(r.Errors, r.Refuse(protovalidate.FieldPathString(v.Proto.GetField()), reason, v.Proto.GetMessage()))
	}
	r.Message = nil
}
