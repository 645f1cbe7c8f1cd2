package brunel

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// door is a documents' door that refuses records by their first column, some only at first.
type door struct {
	grpc.ClientConnInterface
	reasons map[string]string // by key
	passing map[string]int    // by key: how often it is still refused
	sent    []string          // keys of each document
	report  []*integrationv1.DocumentError
	busy    int // answers of 503 before each call
}

func (d *door) Invoke(_ context.Context, _ string, args, reply any, _ ...grpc.CallOption) error {
	if d.busy > 0 {
		d.busy--
		return &rest.Problem{Status: 503, Code: "BUSY"}
	}
	switch args := args.(type) {
	case *integrationv1.ImportDocumentRequest:
		d.take(string(args.GetDocument().GetContent()))
		reply.(*integrationv1.ImportDocumentResponse).Receipt = &commonv1.Receipt{Id: fmt.Sprint(len(d.sent))}
	case *integrationv1.GetDocumentRequest:
		reply.(*integrationv1.GetDocumentResponse).Document = &integrationv1.Document{
			State: integrationv1.DocumentState_DOCUMENT_STATE_PARTIAL, Errors: int64(len(d.report)),
		}
	case *integrationv1.ListDocumentErrorsRequest: // one a page
		page, from := reply.(*integrationv1.ListDocumentErrorsResponse), len(args.GetPageToken())
		page.Errors = d.report[from : from+1]
		if from+1 < len(d.report) {
			page.NextPageToken = strings.Repeat("x", from+1)
		}
	}
	return nil
}

func (d *door) take(content string) {
	d.report = nil
	var keys []string
	for i, line := range strings.Split(strings.TrimSpace(content), "\n")[1:] {
		key, _, _ := strings.Cut(line, ",")
		keys = append(keys, key)
		reason := d.reasons[key]
		if n, ok := d.passing[key]; ok {
			if d.passing[key]--; n <= 0 {
				reason = ""
			}
		}
		if reason != "" {
			d.report = append(d.report, &integrationv1.DocumentError{Line: int64(i + 2), Key: key, Reason: reason})
		}
	}
	d.sent = append(d.sent, strings.Join(keys, " "))
}

// TestSendAgain: what is refused only because a copy trails is sent again, alone; what is
// refused for good is returned with its reason.
func TestSendAgain(t *testing.T) {
	d := &door{
		reasons: map[string]string{"b": "ITEM_UNKNOWN", "c": "QUANTITY_INVALID", "d": "SITE_UNKNOWN"},
		passing: map[string]int{"b": 2, "d": 1}, busy: 2,
	}
	f := &feeder{patient{d}}
	refused, err := f.send(t.Context(), sheet{message: "M", header: []string{"key", "x"}, rows: [][]string{{"a", "1"}, {"b", "1"}, {"c", "1"}, {"d", "1"}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a b c d", "b d", "b"}; !slices.Equal(d.sent, want) {
		t.Errorf("sent %q, want %q", d.sent, want)
	}
	if len(refused) != 1 || refused[0].Number != "c" || refused[0].Reason != "QUANTITY_INVALID" {
		t.Errorf("refused %+v", refused)
	}
}

// TestVerdict: only when every order has an explained end is the run a success.
func TestVerdict(t *testing.T) {
	p := mapped(t, 0) // 6 orders, 4 refused
	end := func(with func(*tally)) error {
		tl := newTally(p)
		for _, r := range p.Refused {
			tl.refuse("the data set's own tables", r)
		}
		for i, o := range p.Orders {
			if i == 0 {
				with(tl)
				continue
			}
			tl.unrated(o, &commonv1.Reason{Code: "NO_BAND"})
			tl.close(o)
		}
		return tl.verdict()
	}
	for name, c := range map[string]struct {
		with func(*tally)
		ok   bool
	}{
		"settled":     {func(tl *tally) { tl.paid("1", &commonv1.Money{AmountMinor: 120, Currency: currency}); tl.add(closed) }, true},
		"lost":        {func(*tally) {}, false},
		"unexplained": {func(tl *tally) { tl.add(closed) }, false},
		"failed":      {func(tl *tally) { tl.fail(errNotYet) }, false},
	} {
		if err := end(c.with); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOutcome: what was paid is told apart by how it compares with the rate table, and every
// reason stands with its count.
func TestOutcome(t *testing.T) {
	p := mapped(t, 0)
	tl := newTally(p)
	tl.paid("1", &commonv1.Money{AmountMinor: 120, Currency: currency})
	tl.paid("2", &commonv1.Money{AmountMinor: 125_626, Currency: currency})
	tl.paid("3", &commonv1.Money{AmountMinor: 5, Currency: currency}) // of which the table knows no price
	tl.unrated(p.Orders[4], &commonv1.Reason{Code: "NO_RATE_CARD"})
	tl.refuse("the suite", Refusal{"9", "ADDRESS_UNKNOWN", "no such address"})
	var b strings.Builder
	tl.print(&b, time.Second)
	for _, want := range []string{
		"settled         3", "refused         1",
		"Freight paid: 1257.51 USD; of 3 orders 1 for what the rate table says of the exact weight, 1 for a cent more or less",
		"Without a price: 1, of them 1 for the reason",
		"1  not rated, so not invoiced: NO_RATE_CARD, CU CRF, the customer's own freight",
		"1  refused by the suite: ADDRESS_UNKNOWN",
		"order 3: paid 0.05 USD, the rate table says NO_BAND",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}
