package e2e

import (
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/lockstep-logistics/lockstep/libs/guard"
	"github.com/lockstep-logistics/lockstep/libs/testkit"
	integrationv1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/integration/v1"
	masterdatav1 "github.com/lockstep-logistics/lockstep/proto/gen/go/lockstep/masterdata/v1"
	"github.com/lockstep-logistics/lockstep/services/suite/internal/fleet"
)

// put puts something that must be taken.
func (p party) put(t *testing.T, method, path, body string) {
	t.Helper()
	if a := p.command(t, method, path, testkit.Name("put"), body); a.status != http.StatusOK {
		t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
}

const anyMoment = "2026-03-27T16:00:01Z"

// reference is a meaning of an external id of the ERP.
func reference(external, sku, more string) string {
	return fmt.Sprintf(`{"crossReference":{"system":"erp","objectType":"OBJECT_TYPE_ITEM","externalId":%q,"objectKey":%q,"direction":"CROSS_REFERENCE_DIRECTION_BOTH"%s}}`, external, sku, more)
}

// described gives a tenant one of each record of master data that a walk of orders needs none
// of, and adds the samples of their keys.
func described(t *testing.T, p party, samples map[string]string) {
	t.Helper()
	site := samples["locations/code"]
	maps.Copy(samples, map[string]string{
		"external": "4711/" + samples["number"], "calendars/code": "CAL-1", "code-lists/code": "OURS-1", "changes/code": "CR-1", "api-keys/api_key_name": "KEY-1", "ownership-policies/object_type": "OBJECT_TYPE_ITEM",
	})
	p.put(t, http.MethodPost, "/v1/cross-references", reference(samples["external"], samples["items/sku"], ""))
	p.put(t, http.MethodPut, "/v1/calendars/CAL-1", `{"calendar":{"timeZone":"Europe/Berlin","week":[{"weekday":"WEEKDAY_MONDAY","hours":[{"open":"06:00","close":"22:00"}]}]}}`)
	p.put(t, http.MethodPost, "/v1/cut-offs", fmt.Sprintf(`{"cutOff":{"siteCode":%q,"times":[{"weekday":"WEEKDAY_FRIDAY","localTime":"17:00"}]}}`, site))
	p.put(t, http.MethodPut, "/v1/code-lists/OURS-1", `{"codeList":{"standard":"erp","entries":[{"code":"ZZ","canonicalCode":"EA"}]}}`)
	p.put(t, http.MethodPost, "/v1/changes", `{"code":"CR-1","carrier":{"code":"WAIT","name":"Not yet"}}`)
	p.put(t, http.MethodPost, "/v1/api-keys", fmt.Sprintf(`{"name":"KEY-1","roles":["ROLE_LOGISTICS"],"expireTime":%q}`, tomorrow()))
	said := `{"item":{"name":%q,"baseUnit":"EA"},"source":{"system":%q,"messageId":%q}}`
	p.put(t, http.MethodPut, "/v1/items/DISPUTED", fmt.Sprintf(said, "Ours", "erp", "D-1"))
	p.put(t, http.MethodPut, "/v1/items/DISPUTED", fmt.Sprintf(said, "Theirs", "wms", "D-2"))
	for _, path := range []string{
		"/v1/cross-references?system=erp", "/v1/observations?object_type=OBJECT_TYPE_ITEM", "/v1/calendars", "/v1/code-lists", "/v1/cut-offs?site_code=" + site,
		"/v1/cross-references:resolveExternalIds?object_type=OBJECT_TYPE_ITEM&system=erp&object_key=" + samples["items/sku"],
	} {
		testkit.Eventually(t, within, func() error { // lists trail
			if a := p.get(t, path); a.status != http.StatusOK || !anyID.MatchString(a.body) {
				return fmt.Errorf("%s: %d %s", path, a.status, a.body)
			}
			return nil
		})
	}
}

// crossReferences: an id of the ERP gets a meaning, changes it at a moment, and is refused a
// second one with who has it; other systems know the item by ids of their own.
func crossReferences(t *testing.T, f *fleet.Fleet) {
	p := speak(t, f, guard.AdminCaller(testkit.Name("t")))
	for _, sku := range []string{"OLD", "NEW"} {
		p.put(t, http.MethodPut, "/v1/items/"+sku, fmt.Sprintf(`{"item":{"name":%q,"baseUnit":"EA"}}`, sku))
	}
	refused(t, "an item that is not there", p.command(t, http.MethodPost, "/v1/cross-references", testkit.Name("xref"), reference("1", "NOBODY", "")),
		"400 OBJECT_UNKNOWN", "#/crossReference/objectKey OBJECT_UNKNOWN")
	p.put(t, http.MethodPost, "/v1/cross-references", reference("47/11", "OLD", `,"validTo":"2026-07-01T00:00:00Z"`))
	a := p.command(t, http.MethodPost, "/v1/cross-references", testkit.Name("xref"), reference("47/11", "NEW", `,"validFrom":"2026-06-30T23:59:59Z"`))
	refused(t, "a second meaning", a, "409 EXTERNAL_ID_TAKEN", "#/crossReference/externalId EXTERNAL_ID_TAKEN")
	if m := a.problem().Metadata; m["object_key"] != "OLD" {
		t.Errorf("who has it: %v", m)
	}
	p.put(t, http.MethodPost, "/v1/cross-references", reference("47/11", "NEW", `,"validFrom":"2026-07-01T00:00:00Z"`))
	p.put(t, http.MethodPost, "/v1/cross-references:batchPut", `{"crossReferences":[`+
		`{"system":"wms","objectType":"OBJECT_TYPE_ITEM","externalId":"W-1","objectKey":"NEW","direction":"CROSS_REFERENCE_DIRECTION_OUTBOUND"},`+
		`{"system":"acme-3pl","objectType":"OBJECT_TYPE_ITEM","externalId":"P-1","objectKey":"NEW","direction":"CROSS_REFERENCE_DIRECTION_INBOUND"}]}`)
	means := func(system, external, at string) string {
		t.Helper()
		a := p.get(t, "/v1/cross-references:resolve?object_type=OBJECT_TYPE_ITEM&system="+system+"&external_id="+external+"&as_of_time="+at)
		if a.status != http.StatusOK {
			return a.problem().Code
		}
		resp := &masterdatav1.ResolveCrossReferenceResponse{}
		unmarshal(t, a.body, resp)
		return resp.GetObjectKey()
	}
	for _, c := range []struct{ system, external, at, want string }{
		{"erp", "47%2F11", "2026-06-30T23:59:59Z", "OLD"},
		{"erp", "47%2F11", "2026-07-01T00:00:00Z", "NEW"},
		{"acme-3pl", "P-1", anyMoment, "NEW"},
		{"wms", "W-1", anyMoment, "NOT_IN_USE"},
		{"wms", "P-1", anyMoment, "NOT_FOUND"},
	} {
		if got := means(c.system, c.external, c.at); got != c.want {
			t.Errorf("%s of %s at %s means %s, want %s", c.external, c.system, c.at, got, c.want)
		}
	}
	for system, want := range map[string]string{"wms": "W-1", "erp": "47/11"} {
		testkit.Eventually(t, within, func() error {
			a := p.get(t, "/v1/cross-references:resolveExternalIds?object_type=OBJECT_TYPE_ITEM&object_key=NEW&as_of_time=2026-08-01T00:00:00Z&system="+system)
			if a.status != http.StatusOK || !strings.Contains(a.body, `"`+want+`"`) {
				return fmt.Errorf("%s: %d %s", system, a.status, a.body)
			}
			return nil
		})
	}
	p.put(t, http.MethodPost, "/v1/cross-references:retire", `{"system":"acme-3pl","objectType":"OBJECT_TYPE_ITEM","externalId":"P-1"}`)
	a = p.command(t, http.MethodPost, "/v1/cross-references:retire", testkit.Name("xref"), `{"system":"acme-3pl","objectType":"OBJECT_TYPE_ITEM","externalId":"P-1"}`)
	refused(t, "ended twice", a, "404 NOT_IN_USE")
}

// ownershipConflict: the WMS says by a document what the ERP owns: nothing of it is taken, the
// record says what was said, and the list of observations shows it; under a stricter policy the
// record is refused with the line.
func ownershipConflict(t *testing.T, f *fleet.Fleet) {
	p := speak(t, f, guard.AdminCaller(testkit.Name("t")))
	send := func(system, message, name, weight string) *integrationv1.Document {
		t.Helper()
		csv := "sku,name,base_unit,base_weight_grams\r\nTEA," + name + ",EA," + weight + "\r\n"
		body := fmt.Sprintf(`{"document":{"type":"DOCUMENT_TYPE_ITEMS","format":"DOCUMENT_FORMAT_CSV","content":%q,"source":{"system":%q,"messageId":%q}}}`,
			base64.StdEncoding.EncodeToString([]byte(csv)), system, message)
		return p.document(t, receipt(t, message, p.command(t, http.MethodPost, "/v1/documents", message, body)).GetId())
	}
	item := func() *masterdatav1.ItemRecord {
		t.Helper()
		resp := &masterdatav1.GetItemResponse{}
		unmarshal(t, p.read(t, "/v1/items/TEA"), resp)
		return resp.GetItem()
	}
	send("erp", "items-from-erp", "Tea", "100")
	if d := send("wms", "items-from-wms", "Tee", "120"); d.GetApplied() != 1 {
		t.Errorf("an observation is no error: %v", d)
	}
	got := item()
	if got.GetItem().GetName() != "Tea" || got.GetItem().GetBaseWeightGrams() != "120" {
		t.Errorf("each system changes its own: %v", got)
	}
	if o := got.GetObservations(); len(o) != 1 || o[0].GetField() != "name" || o[0].GetSaid() != "Tee" || o[0].GetOwner() != "erp" || o[0].GetMessageId() != "items-from-wms" {
		t.Errorf("observed %v", o)
	}
	testkit.Eventually(t, within, func() error {
		if body := p.read(t, "/v1/observations?object_type=OBJECT_TYPE_ITEM"); !strings.Contains(body, `"Tee"`) {
			return fmt.Errorf("%s", body)
		}
		return nil
	})
	p.put(t, http.MethodPut, "/v1/ownership-policies/OBJECT_TYPE_ITEM", `{"rules":[{"subject":"name","owner":"erp","conflictRule":"CONFLICT_RULE_REFUSE"}]}`)
	d := send("wms", "items-from-wms-2", "Tee", "130")
	if report := p.report(t, d.GetDocumentId()); len(report) != 1 || report[0] != "2 name FIELD_NOT_OWNED TEA" {
		t.Errorf("the report: %v", report)
	}
	a := p.command(t, http.MethodPut, "/v1/items/TEA", testkit.Name("put"), `{"item":{"name":"Tee","baseUnit":"EA"},"source":{"system":"wms","messageId":"M"}}`)
	refused(t, "by hand", a, "409 FIELD_NOT_OWNED", "#/item/name FIELD_NOT_OWNED")
	if m := a.problem().Metadata; m["owner"] != "erp" || m["rule"] != "REFUSE" {
		t.Errorf("by whom: %v", m)
	}
	if now := item(); now.GetEtag() != got.GetEtag() {
		t.Errorf("a refused word changed it: %v", now)
	}
}
