package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	inventorymovementv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/inventorymovement/v1"
	returnsv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/returns/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/rest"
)

// Bins of what comes back: where it is received, sold from again, and kept apart.
const (
	dock       = "R-01"
	shelf      = "A-01"
	quarantine = "Q-01"
)

// comesBack is one line of a return: what is asked for, arrives, and is rejected of it.
type comesBack struct {
	order                    int // line of the order
	asked, arrives, rejected int
}

// returning is what comes back: half of each of the first two lines that were issued.
func (w *walk) returning(parts []*part) (lines []comesBack) {
	for i := range w.lines {
		issued := 0
		for _, p := range parts {
			issued += p.picked[i+1]
		}
		if issued > 0 && len(lines) < 2 {
			n := (issued + 1) / 2
			lines = append(lines, comesBack{order: i + 1, asked: n, arrives: n})
		}
	}
	switch first := &lines[0]; w.Back.Last {
	case returnsv1.Disposition_DISPOSITION_RESTOCK:
	case returnsv1.Disposition_DISPOSITION_UNSPECIFIED:
		first.arrives--
	default:
		first.rejected++
	}
	return lines
}

// giveBack is the customer's, the warehouse's and finance's part of a return.
func (w *walk) giveBack(ctx context.Context, parts []*part) error {
	if !w.Back.Any {
		return nil
	}
	client := returnsv1.NewReturnsServiceClient(w.Dial("returns"))
	lines := w.returning(parts)
	rma, err := w.authorised(ctx, client, lines)
	if err != nil {
		return err
	}
	if err := w.receive(ctx, rma, lines); err != nil {
		return err
	}
	if err := w.await(ctx, client, rma, "receipt", func(r *returnsv1.Return) bool {
		for i, l := range lines {
			if r.GetLines()[i].GetReceived() != fmt.Sprint(l.arrives) {
				return false
			}
		}
		return true
	}); err != nil {
		return err
	}
	for i, l := range lines {
		if err := w.inspect(ctx, client, rma, i+1, l); err != nil {
			return err
		}
	}
	return w.credit(ctx, client, rma)
}

// await asks for the return until it is as it should be.
func (w *walk) await(ctx context.Context, client returnsv1.ReturnsServiceClient, rma, what string, done func(*returnsv1.Return) bool) error {
	return await(ctx, what, func(ctx context.Context) error {
		resp, err := client.GetReturn(ctx, &returnsv1.GetReturnRequest{RmaId: rma})
		switch r := resp.GetReturn(); {
		case err != nil:
			return err
		case r.GetState() == returnsv1.ReturnState_RETURN_STATE_DENIED:
			return fmt.Errorf("the return is denied: %v", r.GetReasons())
		case !done(r):
			return fmt.Errorf("the return is %s %v: %w", r.GetState(), r.GetReasons(), errNotYet)
		}
		return nil
	})
}

// authorised asks for a return once all that was issued can come back, and waits until it may.
func (w *walk) authorised(ctx context.Context, client returnsv1.ReturnsServiceClient, lines []comesBack) (rma string, err error) {
	req := &returnsv1.RequestReturnRequest{OrderId: w.order, RmaNumber: "RMA-" + w.number, SourceSystem: "erp", ReturnSite: Site}
	reason := returnsv1.ReturnReason_RETURN_REASON_NOT_AS_DESCRIBED
	if w.Back.Decide {
		reason = returnsv1.ReturnReason_RETURN_REASON_OTHER
	}
	for _, l := range lines {
		req.Lines = append(req.Lines, &returnsv1.RequestedLine{OrderLineNumber: int32(l.order), Quantity: pieces(l.asked), Reason: reason})
	}
	err = await(ctx, "items that can be returned", func(ctx context.Context) error {
		resp, err := client.GetReturnableItems(ctx, &returnsv1.GetReturnableItemsRequest{OrderId: w.order})
		if missing(err) {
			return errNotYet
		}
		there := map[int32]string{}
		for _, i := range resp.GetItems() {
			there[i.GetOrderLineNumber()] = i.GetAvailable()
		}
		for _, l := range req.Lines {
			if err == nil && (there[l.GetOrderLineNumber()] == "" || there[l.GetOrderLineNumber()] == "0") {
				err = errNotYet
			}
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if err := w.command(ctx, "RequestReturn", func(ctx context.Context) error {
		resp, err := client.RequestReturn(ctx, req)
		rma = resp.GetReceipt().GetId()
		return err
	}); err != nil {
		return "", err
	}
	if w.Back.Decide {
		if err := w.await(ctx, client, rma, "somebody's decision", func(r *returnsv1.Return) bool {
			return len(r.GetReasons()) > 0 && r.GetReasons()[0].GetCode() == "AUTHORISATION_NEEDED"
		}); err != nil {
			return "", err
		}
		if err := w.command(ctx, "AuthoriseReturn", func(ctx context.Context) error {
			_, err := client.AuthoriseReturn(ctx, &returnsv1.AuthoriseReturnRequest{RmaId: rma})
			return err
		}); err != nil {
			return "", err
		}
	}
	return rma, w.await(ctx, client, rma, "authorisation", func(r *returnsv1.Return) bool {
		return r.GetState() == returnsv1.ReturnState_RETURN_STATE_AUTHORISED
	})
}

// missing reports whether something is not there, by either door.
func missing(err error) bool {
	var problem *rest.Problem
	return errors.As(err, &problem) && problem.Status == http.StatusNotFound || fault.IsKind(err, fault.NotFound)
}

// invalid reports whether something was refused for what it names, by either door.
func invalid(err error) bool {
	var problem *rest.Problem
	return errors.As(err, &problem) && problem.Status == http.StatusBadRequest || fault.IsKind(err, fault.Invalid)
}

// receive reports what arrives.
func (w *walk) receive(ctx context.Context, rma string, lines []comesBack) error {
	client := inventorymovementv1.NewInventoryMovementServiceClient(w.Dial("inventory-movement"))
	for i, l := range lines {
		if l.arrives == 0 {
			continue
		}
		if err := w.command(ctx, fmt.Sprintf("RecordReturnReceipt#%d", i+1), func(ctx context.Context) error {
			_, err := client.RecordReturnReceipt(ctx, &inventorymovementv1.RecordReturnReceiptRequest{
				Site: Site, Sku: w.lines[l.order-1].SKU, Location: dock, Quantity: pieces(l.arrives), RmaId: rma, RmaLineNumber: int32(i + 1),
			})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// inspect inspects what arrived of a line, and decides what becomes of it.
func (w *walk) inspect(ctx context.Context, client returnsv1.ReturnsServiceClient, rma string, n int, l comesBack) error {
	if l.arrives == 0 {
		return nil
	}
	req := &returnsv1.InspectItemsRequest{RmaId: rma, RmaLineNumber: int32(n), Grade: returnsv1.Grade_GRADE_A, Finding: returnsv1.Finding_FINDING_AS_NEW}
	type fate struct {
		of  int
		to  string
		how returnsv1.Disposition
	}
	var fates []fate
	if good := l.arrives - l.rejected; good > 0 {
		req.Accepted = pieces(good)
		fates = append(fates, fate{good, shelf, returnsv1.Disposition_DISPOSITION_RESTOCK})
	}
	if l.rejected > 0 {
		req.Rejected, req.Grade, req.Finding = pieces(l.rejected), returnsv1.Grade_GRADE_C, returnsv1.Finding_FINDING_DAMAGED
		bad := fate{of: l.rejected, how: w.Back.Last}
		if bad.how == returnsv1.Disposition_DISPOSITION_QUARANTINE {
			bad.to = quarantine
		}
		fates = append(fates, bad)
	}
	if err := w.command(ctx, fmt.Sprintf("InspectItems#%d", n), func(ctx context.Context) error {
		_, err := client.InspectItems(ctx, req)
		return err
	}); err != nil {
		return err
	}
	for i, f := range fates {
		if err := w.command(ctx, fmt.Sprintf("DisposeItems#%d-%d", n, i+1), func(ctx context.Context) error {
			_, err := client.DisposeItems(ctx, &returnsv1.DisposeItemsRequest{
				RmaId: rma, RmaLineNumber: int32(n), Disposition: f.how, Quantity: pieces(f.of), ToLocation: f.to,
			})
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// credit confirms what was credited, and ends the return: by itself, or because no more comes.
func (w *walk) credit(ctx context.Context, client returnsv1.ReturnsServiceClient, rma string) error {
	resp, err := client.GetReturn(ctx, &returnsv1.GetReturnRequest{RmaId: rma})
	if err != nil {
		return err
	}
	for _, c := range resp.GetReturn().GetCredits() {
		if err := w.command(ctx, fmt.Sprintf("ConfirmCredit#%d", c.GetCreditNumber()), func(ctx context.Context) error {
			_, err := client.ConfirmCredit(ctx, &returnsv1.ConfirmCreditRequest{
				RmaId: rma, CreditNumber: c.GetCreditNumber(), CreditMemo: fmt.Sprintf("CM-%s-%d", w.number, c.GetCreditNumber()), Amount: c.GetNet(),
			})
			return err
		}); err != nil {
			return err
		}
	}
	if w.Back.Last == returnsv1.Disposition_DISPOSITION_UNSPECIFIED {
		if err := w.command(ctx, "CompleteReturn", func(ctx context.Context) error {
			_, err := client.CompleteReturn(ctx, &returnsv1.CompleteReturnRequest{RmaId: rma})
			return err
		}); err != nil {
			return err
		}
	}
	return w.await(ctx, client, rma, "end", func(r *returnsv1.Return) bool { return r.GetState() == returnsv1.ReturnState_RETURN_STATE_COMPLETED })
}
