package bus

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Subjects and names on the bus. Subjects are bounded: never one per aggregate.

func streamName(service string) string   { return "EVT_" + service }
func headsSubject(service string) string { return "heads." + service }

func subjectOf(f Fact) string {
	return fmt.Sprintf("evt.%s.%s.%02d.%s", f.Service, f.AggregateType, f.Partition, f.Tenant)
}

// subjectsOf are the filters that select aggregate types of a service; all when none is named.
func subjectsOf(service string, aggregates []string) []string {
	if len(aggregates) == 0 {
		return []string{"evt." + service + ".>"}
	}
	out := make([]string, len(aggregates))
	for i, a := range aggregates {
		out[i] = "evt." + service + "." + a + ".>"
	}
	return out
}

// message renders a fact as a CloudEvent 1.0 in binary content mode (CloudEvents NATS
// protocol binding): attributes in headers, the protobuf message as the body.
func message(f Fact) *nats.Msg {
	h := nats.Header{
		"ce-specversion":      {"1.0"},
		"ce-id":               {f.ID},
		"ce-source":           {"/" + f.Service},
		"ce-type":             {f.Type},
		"ce-subject":          {f.AggregateType + "/" + f.AggregateID},
		"ce-time":             {f.Recorded.UTC().Format(time.RFC3339Nano)},
		"ce-tenant":           {f.Tenant},
		"ce-generation":       {strconv.FormatUint(f.Generation, 10)},
		"ce-lane":             {f.lane().String()},
		"ce-number":           {strconv.FormatUint(f.Number, 10)},
		"ce-version":          {strconv.FormatUint(f.Version, 10)},
		"ce-previous":         {strconv.FormatUint(f.Previous, 10)},
		"ce-index":            {strconv.Itoa(f.Index)},
		"ce-count":            {strconv.Itoa(f.Count)},
		"content-type":        {"application/protobuf"},
		jetstream.MsgIDHeader: {f.ID},
	}
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{escape(value)}
		}
	}
	set("ce-correlationid", f.Correlation)
	set("ce-causationid", f.Causation)
	set("ce-principal", f.Principal)
	set("ce-sourcesystem", f.Source.System)
	set("ce-sourcemessageid", f.Source.MessageID)
	set("ce-sourcezone", f.Source.Zone)
	if !f.Source.EventTime.IsZero() {
		set("ce-sourcetime", f.Source.EventTime.UTC().Format(time.RFC3339Nano))
	}
	if f.Source.Offset != 0 {
		set("ce-sourceoffset", strconv.Itoa(f.Source.Offset))
	}
	if f.Source.Sequence != 0 {
		set("ce-sourcesequence", strconv.FormatInt(f.Source.Sequence, 10))
	}
	set("traceparent", f.TraceParent)
	return &nats.Msg{Subject: subjectOf(f), Header: h, Data: f.Data}
}

// factOfMessage is the inverse of message. A message that is none of ours is an error;
// its number then shows as a gap and is fetched from the owner.
func factOfMessage(h nats.Header, data []byte) (Fact, error) {
	r := headers{h: h}
	f := Fact{
		ID: r.text("ce-id"), Service: strings.TrimPrefix(r.text("ce-source"), "/"),
		Tenant: r.text("ce-tenant"), Type: r.text("ce-type"), Data: data, Recorded: r.time("ce-time"),
		Generation: r.uint("ce-generation"), Number: r.uint("ce-number"),
		Version: r.uint("ce-version"), Previous: r.uint("ce-previous"),
		Index: int(r.int("ce-index")), Count: int(r.int("ce-count")),
		Correlation: r.text("ce-correlationid"), Causation: r.text("ce-causationid"), Principal: r.text("ce-principal"),
		TraceParent: r.text("traceparent"),
	}
	f.Source.System, f.Source.MessageID, f.Source.Zone = r.text("ce-sourcesystem"), r.text("ce-sourcemessageid"), r.text("ce-sourcezone")
	f.Source.EventTime, f.Source.Offset, f.Source.Sequence = r.time("ce-sourcetime"), int(r.int("ce-sourceoffset")), r.int("ce-sourcesequence")
	var l lane
	if err := l.UnmarshalText([]byte(r.text("ce-lane"))); err != nil {
		return f, err
	}
	f.AggregateType, f.Partition = l.aggregate, l.partition
	f.AggregateID = strings.TrimPrefix(r.text("ce-subject"), f.AggregateType+"/")
	if r.err == nil && (f.ID == "" || f.Number == 0 || f.Generation == 0) {
		return f, fmt.Errorf("message without id, number or generation")
	}
	return f, r.err
}

// headers reads attributes and keeps the first error.
type headers struct {
	h   nats.Header
	err error
}

func (r *headers) text(name string) string {
	v := r.h[name]
	if len(v) == 0 {
		return ""
	}
	if !strings.Contains(v[0], "%") {
		return v[0]
	}
	s, err := url.PathUnescape(v[0])
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("header %s: %w", name, err)
	}
	return s
}

func (r *headers) uint(name string) uint64 {
	n, err := strconv.ParseUint(r.text(name), 10, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("header %s: %w", name, err)
	}
	return n
}

func (r *headers) int(name string) int64 {
	s := r.text(name)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("header %s: %w", name, err)
	}
	return n
}

func (r *headers) time(name string) time.Time {
	s := r.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("header %s: %w", name, err)
	}
	return t
}

// escape percent-encodes what may not stand in a header value (CloudEvents HTTP binding §3.1.3.2).
func escape(s string) string {
	bad := func(c byte) bool { return c < 0x21 || c > 0x7e || c == '%' || c == '"' }
	i := 0
	for i < len(s) && !bad(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if bad(s[i]) {
			fmt.Fprintf(&b, "%%%02X", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}
