#!/bin/sh
# Walks one order over the REST API of a suite that is up: URL and TOKEN as `make up` prints
# them. Keys are fixed, so that running it again repeats nothing and answers the same.
set -eu
call() { # method, path, idempotency key, body
  echo "$1 $2"
  curl -sS --fail-with-body -X "$1" "$URL$2" -H "Authorization: Bearer $TOKEN" \
    -H "Content-Type: application/json" -H "Idempotency-Key: $3" -d "$4" && echo
}
get() { curl -sS --fail-with-body "$URL$1" -H "Authorization: Bearer $TOKEN" && echo; }
seen() { # text, command: runs the command until it prints the text, for two minutes at most
  text=$1 tries=0
  shift
  until said=$("$@" 2>&1) && printf %s "$said" | tr -d ' \n' | grep -q "$text"; do
    tries=$((tries + 1))
    [ $tries -lt 240 ] || { printf 'no %s:\n%s\n' "$text" "$said" >&2; return 1; }
    sleep 0.5
  done
  printf '%s\n' "$said"
}

# Master data: enum names in full; quantities are decimals as text, with a Rec 20 unit.
call PUT /v1/tenant quick-tenant '{"tenant": {"name": "Acme", "currency": "EUR", "country": "DE", "time_zone": "Europe/Berlin"}}'
call PUT /v1/items/BOLT quick-item '{"item": {"name": "Bolt", "base_unit": "EA", "base_weight_grams": "40",
  "packaging_units": [{"unit": "CS", "numerator": 24, "denominator": 1, "gross_weight_grams": 1000}]}}'
call PUT /v1/locations/DC1 quick-site '{"location": {"name": "Hamburg", "kind": "LOCATION_KIND_SITE", "time_zone": "Europe/Berlin",
  "gs1_company_prefix": "4012345", "default_site": true,
  "address": {"name": "Acme", "lines": ["1 Dock Road"], "city": "Hamburg", "postal_code": "20457", "country": "DE"}}}'
call PUT /v1/locations/DC1-A1 quick-bin '{"location": {"name": "Bin A1", "kind": "LOCATION_KIND_BIN", "parent_code": "DC1"}}'
call PUT /v1/parties/SMITH quick-party '{"party": {"name": "Smith", "roles": ["PARTY_ROLE_CUSTOMER", "PARTY_ROLE_SHIP_TO"],
  "addresses": [{"code": "MAIN", "address": {"name": "Smith", "lines": ["1 Example Way"], "city": "Bremen", "postal_code": "28195", "country": "DE"}}]}}'
call PUT /v1/carriers/EXPR quick-carrier '{"carrier": {"name": "Express Lines",
  "services": [{"code": "STD", "name": "Standard", "mode": "TRANSPORT_MODE_PARCEL", "transit_days": 2}]}}'

# Ten cases come in; the order wants two. The other services follow master data and may not know
# it yet: an order is tried before it is submitted.
seen '"receipt":{' call POST /v1/stocks:recordReceipt quick-receipt '{"receipt": {"site": "DC1", "location": "DC1-A1", "sku": "BOLT", "quantity": {"value": "10", "unit": "CS"}}}'
order() { # number
  echo '"order": {"source_system": "erp", "order_number": "'"$1"'", "site": "DC1", "currency": "EUR",
  "sold_to": {"party_code": "SMITH", "address_code": "MAIN"}, "carrier_preference": "EXPR",
  "lines": [{"line_number": 1, "sku": "BOLT", "quantity": {"value": "2", "unit": "CS"}, "unit_price": "9.60"}]}'
}
seen '"reasons":\[\]' call POST /v1/orders quick-trial "{\"validate_only\": true, $(order 1001-TRIAL)}"
call POST /v1/orders quick-order "{$(order 1001)}"

# The warehouse: its order appears when the order is released, and bins are found for it. It
# reports in base units.
id=$(seen '"state":"WAREHOUSE_ORDER_STATE_[AI]' get "/v1/warehouse-orders" | tr -d ' \n' | sed -n 's/.*"warehouseOrderId":"\([^"]*\)".*/\1/p')
call POST "/v1/warehouse-orders/$id:acknowledge" quick-acknowledge '{}'
call POST "/v1/warehouse-orders/$id:confirmPicks" quick-picks '{"lines": [{"line_number": 1, "quantity": {"value": "48", "unit": "EA"}}]}'
call POST "/v1/warehouse-orders/$id:packCarton" quick-pack '{"lines": [{"line_number": 1, "quantity": {"value": "48", "unit": "EA"}}]}'
call POST "/v1/warehouse-orders/$id:postGoodsIssue" quick-issue '{}'

# "shipped" says false still: the policy of this tenant also wants the carrier to have left.
echo "The order with all that became of it:"
seen '"state":"ORDER_STATE_FULFILLED".*"missing":\[\]' get "/v1/order-views?order_number=1001&source_system=erp"
echo "And its story:"
get "/v1/traces?key=1001"
