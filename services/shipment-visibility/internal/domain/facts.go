package domain

import "time"

// Fact is what happened to a shipment.
type Fact interface{ isFact() }

// The facts, in the words of the published events.
type (
	// ShipmentPlanned starts the shipment.
	ShipmentPlanned struct {
		Keys
		Site       string
		ShipTo     Address
		Preference string // carrier asked for, SCAC
		Service    string
		Lines      []Line
		Policy     Policy
	}
	// ShipmentReady says what was packed and issued.
	ShipmentReady struct {
		Keys
		Units       []Unit
		Lines       []Line
		WeightGrams int64
		Issued      time.Time
	}
	// ShipmentTendered offers it to a carrier.
	ShipmentTendered struct {
		Keys
		Tender Tender
		Site   string
		ShipTo Address
	}
	// TenderWasAccepted books it.
	TenderWasAccepted struct {
		Keys
		Number           int
		Carrier, Service string
		Site             string
		ShipTo           Address
		WeightGrams      int64
		Lines            []Line
	}
	// TenderClosed ends an offer that was not accepted.
	TenderClosed struct {
		Keys
		Number  int
		Carrier string
		Outcome TenderState // DECLINED, EXPIRED or WITHDRAWN
		Reason  string
	}
	// ShipmentDispatched says that it left.
	ShipmentDispatched struct {
		Keys
		Carrier, Service string
		Refs             Refs
		At               time.Time
		NotIssued        bool
		Reported         bool // the report named the carrier
		WeightGrams      int64
		Lines            []Line
		Site             string
		ShipTo           Address
	}
	// MilestoneRecorded keeps a report.
	MilestoneRecorded struct {
		Keys
		Milestone Milestone
		State     State // what all milestones together give
	}
	// ShipmentDelivered says that the milestones prove delivery.
	ShipmentDelivered struct {
		Keys
		At          time.Time
		WeightGrams int64
		Lines       []Line
	}
	// DispatchReported is another report of the departure.
	DispatchReported struct {
		Keys
		Departure Departure
	}
	// ProofOfDeliveryRecorded is the consignee's word.
	ProofOfDeliveryRecorded struct {
		Keys
		SignedBy     string
		SignedAt     time.Time
		Lines        []Line // if AsDispatched, what that was known to be
		AsDispatched bool
		Document     string
	}
	// OlderProofRecorded is a word of the consignee that a newer one had replaced.
	OlderProofRecorded struct {
		Keys
		Proof Proof
	}
	// ShipmentCancelled calls it off before it left.
	ShipmentCancelled struct {
		Keys
		Reason, Carrier string
	}
	// CancellationContradicted keeps a cancellation that came too late to stop the shipment.
	CancellationContradicted struct {
		Keys
		Reason string
	}
	// ShipmentClosed ends it.
	ShipmentClosed struct{ Keys }
)

func (DispatchReported) isFact()         {}
func (OlderProofRecorded) isFact()       {}
func (CancellationContradicted) isFact() {}
func (ShipmentPlanned) isFact()          {}
func (ShipmentReady) isFact()            {}
func (ShipmentTendered) isFact()         {}
func (TenderWasAccepted) isFact()        {}
func (TenderClosed) isFact()             {}
func (ShipmentDispatched) isFact()       {}
func (MilestoneRecorded) isFact()        {}
func (ShipmentDelivered) isFact()        {}
func (ProofOfDeliveryRecorded) isFact()  {}
func (ShipmentCancelled) isFact()        {}
func (ShipmentClosed) isFact()           {}
