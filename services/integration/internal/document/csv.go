package document

import (
	"bytes"
	"unicode/utf8"

	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Bounds of what is read.
const (
	maxLine    = 64 << 10 // bytes of a row
	maxColumns = 512
	maxRows    = 1000    // of one record
	maxRecord  = 1 << 20 // bytes of one record
	maxErrors  = 20      // of one record that are reported
)

// row is one row of CSV: its fields, or what is wrong with it.
type row struct {
	line       int64 // where it begins, from 1
	start, end int   // bytes; end is behind the line break
	fields     []string
	err        *Error
}

// table reads the rows of CSV: RFC 4180, lines ended by LF or CRLF, empty lines skipped.
type table struct {
	data []byte
	pos  int
	line int64
	sep  byte
}

func newTable(data []byte) *table {
	t := &table{data: data, line: 1}
	if bytes.HasPrefix(data, bom) {
		t.pos = len(bom)
	}
	t.sep = separator(t.data[t.pos:])
	return t
}

// separator is what the first line that has any, outside quotes, has more of.
func separator(data []byte) byte {
	var commas, semicolons int
	quoted := false
	for _, c := range data[:min(len(data), maxLine)] {
		switch {
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			commas++
		case c == ';':
			semicolons++
		}
		if c == '\n' && !quoted && commas+semicolons > 0 {
			break
		}
	}
	if semicolons > commas {
		return ';'
	}
	return ','
}

// next returns the next row; false at the end.
func (t *table) next() (row, bool) {
	for t.pos < len(t.data) {
		if n := lineBreak(t.data[t.pos:]); n > 0 {
			t.pos += n
			t.line++
			continue
		}
		return t.row(), true
	}
	return row{}, false
}

// lineBreak returns the length of the line break at the beginning, 0 for none.
func lineBreak(data []byte) int {
	switch {
	case len(data) > 0 && data[0] == '\n':
		return 1
	case len(data) > 1 && data[0] == '\r' && data[1] == '\n':
		return 2
	}
	return 0
}

// row reads the row at pos, which is not an empty line.
func (t *table) row() row {
	r := row{line: t.line, start: t.pos}
	at := t.pos
	for {
		value, next, fault := t.field(at)
		if fault != "" {
			return t.skip(r, fault, next)
		}
		r.fields = append(r.fields, value)
		switch {
		case next-r.start > maxLine:
			return t.skip(r, "LINE_TOO_LONG", r.start)
		case len(r.fields) > maxColumns:
			return t.skip(r, "TOO_MANY_COLUMNS", at)
		case next == len(t.data):
			return t.take(r, next)
		case t.data[next] == t.sep:
			at = next + 1
		default:
			return t.take(r, next+lineBreak(t.data[next:]))
		}
	}
}

// take ends a row that was read whole.
func (t *table) take(r row, end int) row {
	r.end = end
	t.line += int64(bytes.Count(t.data[r.start:end], []byte{'\n'}))
	t.pos = end
	return r
}

// skip ends a row that cannot be read: the next one begins on the line after the one on
// which this one begins, so that a stray quote costs no more rows than it must.
func (t *table) skip(r row, reason string, at int) row {
	line, position := r.line, utf8.RuneCount(t.data[r.start:at])+1
	if i := bytes.LastIndexByte(t.data[r.start:at], '\n'); i >= 0 {
		line += int64(bytes.Count(t.data[r.start:at], []byte{'\n'}))
		position = utf8.RuneCount(t.data[r.start+i+1:at]) + 1
	}
	r.fields = nil
	r.err = &Error{Line: line, Position: position, Reason: reason, Message: csvFaults[reason]}
	end := len(t.data)
	if i := bytes.IndexByte(t.data[r.start:], '\n'); i >= 0 {
		end = r.start + i + 1
	}
	return t.take(r, end)
}

var csvFaults = map[string]string{
	"QUOTE_UNBALANCED": "the quote that opens here is never closed",
	"QUOTE_MISPLACED":  "a field with quotes begins and ends with one, and has others doubled",
	"LINE_TOO_LONG":    "the row is longer than 64 KiB",
	"TOO_MANY_COLUMNS": "the row has more than 512 columns",
}

// field reads the field at a byte and returns where it ends: at a separator, a line break
// or the end of the data. Of a fault, the byte is where it stands.
func (t *table) field(at int) (value string, next int, fault string) {
	limit := min(len(t.data), t.pos+maxLine+1)
	if at < len(t.data) && t.data[at] == '"' {
		return t.quoted(at, limit)
	}
	for next = at; next < limit; next++ {
		switch c := t.data[next]; {
		case c == t.sep, lineBreak(t.data[next:]) > 0:
			return string(t.data[at:next]), next, ""
		case c == '"':
			return "", next, "QUOTE_MISPLACED"
		}
	}
	if next < len(t.data) {
		return "", t.pos, "LINE_TOO_LONG"
	}
	return string(t.data[at:next]), next, ""
}

func (t *table) quoted(at, limit int) (value string, next int, fault string) {
	var b []byte
	from := at + 1
	for next = from; next < limit; next++ {
		if t.data[next] != '"' {
			continue
		}
		b = append(b, t.data[from:next]...)
		if next+1 < len(t.data) && t.data[next+1] == '"' {
			b = append(b, '"')
			next++
			from = next + 1
			continue
		}
		next++
		if next < len(t.data) && t.data[next] != t.sep && lineBreak(t.data[next:]) == 0 {
			return "", next, "QUOTE_MISPLACED"
		}
		return string(b), next, ""
	}
	return "", at, "QUOTE_UNBALANCED"
}

// place is where the next row begins.
func (t *table) place(records int64) domain.Place {
	return domain.Place{Offset: int64(t.pos), Line: t.line, Records: records}
}
