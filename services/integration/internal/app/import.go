package app

import (
	"context"
	"strconv"

	"github.com/lockstep-logistics/lockstep/libs/fault"
	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/ident"
	"github.com/lockstep-logistics/lockstep/libs/store"
	commonv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/common/v1"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/document"
	"github.com/lockstep-logistics/lockstep/services/integration/internal/domain"
)

// Import takes a document: it keeps the content, then the fact that it came. The header's
// hash, size, sender and portions are filled in here.
func (a *App) Import(ctx context.Context, h domain.Header, content []byte) (store.Receipt, error) {
	caller, _ := guard.CallerOf(ctx)
	if !allowed(caller, h.Type) {
		return store.Receipt{}, fault.New(fault.Denied, "DOCUMENT_TYPE_NOT_ALLOWED", "this caller may not hand over documents of type %s", h.Type)
	}
	cause := store.CauseOf(ctx)
	h.SHA256, h.Size, h.Sender = hash(content), int64(len(content)), cause.Principal
	h.PortionRecords, h.PortionBytes = a.PortionRecords, a.PortionBytes
	var foreseen preview
	if cause.Validate {
		foreseen = foresee(h, content)
	} else if err := a.Contents.Put(ctx, cause.Tenant, h.SHA256, content); err != nil {
		return store.Receipt{}, err
	}
	id := ID(cause.Tenant, h)
	return a.Documents.Update(ctx, id, func(c store.Current[domain.Document]) (store.Decision[domain.Fact], error) {
		h := h
		h.Received = c.Now
		facts, err := domain.Receive(c.State, id, h)
		if err != nil {
			return store.Decision[domain.Fact]{}, err
		}
		decision := store.Decision[domain.Fact]{Facts: facts, State: string(domain.After(c.State, facts).State)}
		switch {
		case c.State.State != domain.None:
			decision.Reasons = []store.Reason{{Code: "DUPLICATE", Message: "the document was received before; this is what became of it"}}
		case cause.Validate:
			decision.State, decision.Reasons, decision.Values = string(foreseen.state), foreseen.reasons, foreseen.values
		}
		return decision, nil
	})
}

// ID returns the id of the document that a message is, or that content is.
func ID(tenant string, h domain.Header) string {
	if h.Source.MessageID != "" {
		return ident.Derive(Prefix, tenant, h.Source.System, "message", h.Source.MessageID)
	}
	return ident.Derive(Prefix, tenant, h.Source.System, "content", h.Type, h.Format, h.SHA256)
}

// senders are the roles that may hand over documents of a type: those that may give the
// owner the commands that come of it, for integration gives them in its own name.
var senders = map[string][]commonv1.Role{
	"ORDERS":           {commonv1.Role_ROLE_LOGISTICS},
	"ITEMS":            {commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_TENANT_ADMIN},
	"PARTIES":          {commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_TENANT_ADMIN},
	"LOCATIONS":        {commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_TENANT_ADMIN},
	"CARRIERS":         {commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_TENANT_ADMIN},
	"CROSS_REFERENCES": {commonv1.Role_ROLE_LOGISTICS, commonv1.Role_ROLE_TENANT_ADMIN},
	"CODE_LISTS":       {commonv1.Role_ROLE_TENANT_ADMIN},
	"STOCK_RECEIPTS":   {commonv1.Role_ROLE_LOGISTICS},
	"FREIGHT_INVOICES": {commonv1.Role_ROLE_FINANCE},
}

func allowed(c guard.Caller, documentType string) bool { return c.Has(senders[documentType]...) }

// maxReasons bounds what a receipt or a fact says about errors; the report has them all.
const maxReasons = 5

// preview is what reading a document finds, when nothing is to be stored.
type preview struct {
	state   domain.State
	reasons []store.Reason
	values  map[string]string
}

func foresee(h domain.Header, content []byte) preview {
	rows, records, _, errs, usable := document.Through(spec(h), content, true)
	p := preview{state: domain.Parsed, values: map[string]string{
		"rows": strconv.FormatInt(rows, 10), "records": strconv.FormatInt(records, 10), "errors": strconv.Itoa(len(errs)),
	}}
	if !usable {
		p.state = domain.Quarantined
	}
	for _, e := range errs[:min(len(errs), maxReasons)] {
		p.reasons = append(p.reasons, store.Reason{Code: e.Reason, Field: cut(e.Place(), 64), Message: cut(e.Message, 120)})
	}
	return p
}

// cut returns at most n bytes of s, whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
