package sandbox

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"

	"github.com/lockstep-logistics/lockstep/libs/money"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	ct "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/controltower/v1"
)

// Story prints the control tower's trace of a key, such as an order number, as an aligned
// table: when, which service, what happened, the keys, quantities and money.
func Story(ctx context.Context, c *Client, key string, w io.Writer) error {
	var trace ct.TraceResponse
	if err := c.Get(ctx, "/v1/traces?"+url.Values{"key": {key}}.Encode(), &trace); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "WHEN\tSERVICE\tWHAT\tKEYS\tQUANTITIES\tMONEY") // errors come back at Flush
	for _, s := range trace.GetSteps() {
		_, _ = fmt.Fprintln(table, strings.Join([]string{
			when(s), s.GetSource().GetService(), what(s), keysOf(s, key), quantitiesOf(s), amountsOf(s),
		}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	more := ""
	if trace.GetTruncated() {
		more = ", and more than is shown"
	}
	_, err := fmt.Fprintf(w, "%d steps, %d keys%s\n", len(trace.GetSteps()), len(trace.GetNodes()), more)
	return err
}

func when(s *ct.TraceStep) string {
	at := s.GetRecordedTime()
	if s.GetEventTime() != nil {
		at = s.GetEventTime()
	}
	return at.AsTime().Format("2006-01-02 15:04:05.000")
}

func what(s *ct.TraceStep) string {
	text := s.GetTitle()
	if text == "" {
		_, text, _ = strings.Cut(s.GetType(), ".v1.")
	}
	for _, d := range s.GetDetails() {
		switch d.GetName() {
		case "reason", "resolution":
			text += " " + d.GetValue()
		}
	}
	return text
}

// widest is how many of a kind stand in one cell.
const widest = 4

func cell(all []string) string {
	if len(all) > widest {
		all = append(all[:widest:widest], "…")
	}
	return strings.Join(all, ", ")
}

func keysOf(s *ct.TraceStep, asked string) string {
	var all []string
	for _, k := range s.GetKeys() {
		if k.GetValue() != asked && k.GetType() != commonv1.BusinessKeyType_BUSINESS_KEY_TYPE_STOCK {
			all = append(all, brief(k.GetValue()))
		}
	}
	return cell(all)
}

// brief shortens the hash of an id: enough to tell two of a story apart.
func brief(id string) string {
	prefix, rest, ok := strings.Cut(id, "_")
	if !ok || len(prefix) != 3 || len(rest) < 26 {
		return id
	}
	return prefix + "_" + rest[:6] + rest[26:]
}

func quantitiesOf(s *ct.TraceStep) string {
	var all []string
	for _, q := range s.GetQuantities() {
		text := strings.TrimSpace(q.GetQuantity().GetValue() + " " + q.GetQuantity().GetUnit())
		if q.GetLineNumber() > 0 {
			text = fmt.Sprintf("%d:%s", q.GetLineNumber(), text)
		}
		if name := q.GetName(); name != "" && name != "quantity" {
			text = name + " " + text
		}
		all = append(all, text)
	}
	return cell(all)
}

func amountsOf(s *ct.TraceStep) string {
	var all []string
	for _, a := range s.GetAmounts() {
		amount := money.Amount{Minor: a.GetAmount().GetAmountMinor(), Currency: a.GetAmount().GetCurrency()}
		all = append(all, a.GetName()+" "+amount.String())
	}
	return cell(all)
}

// Told waits until the control tower, which trails the facts, tells a story of at least so
// many steps.
func Told(ctx context.Context, c *Client, key string, steps int) error {
	for {
		var trace ct.TraceResponse
		err := c.Get(ctx, "/v1/traces?"+url.Values{"key": {key}}.Encode(), &trace)
		if err == nil && len(trace.GetSteps()) >= steps {
			return nil
		}
		if !wait(ctx, 3*pollEvery) {
			return fmt.Errorf("the story of %s has %d steps after all this time: %w", key, len(trace.GetSteps()), ctx.Err())
		}
	}
}
