package domain

// Party is a company or person that documents name.
type Party struct {
	Code      string         `bson:"k"`
	Name      string         `bson:"n"`
	Roles     []string       `bson:"r"` // names of the contract's PartyRole without their prefix
	GLN       string         `bson:"g,omitempty"`
	Addresses []PartyAddress `bson:"a,omitempty"`
}

// PartyAddress is one address of a party.
type PartyAddress struct {
	Code    string  `bson:"k"`
	Address Address `bson:"a"`
	GLN     string  `bson:"g,omitempty"`
	Zone    string  `bson:"z,omitempty"` // IANA
}

// Address is a postal address.
type Address struct {
	Name       string   `bson:"n,omitempty"`
	Lines      []string `bson:"l,omitempty"`
	City       string   `bson:"c,omitempty"`
	Region     string   `bson:"r,omitempty"`
	PostalCode string   `bson:"p,omitempty"`
	Country    string   `bson:"o,omitempty"` // ISO 3166-1 alpha-2
}

// Key implements Value.
func (p Party) Key() string { return p.Code }

// Check implements Value.
func (p Party) Check() error {
	var c check
	c.code("code", p.Code)
	c.gln("gln", p.GLN)
	codes := unique{}
	for n, a := range p.Addresses {
		codes.add(&c, a.Code, at("addresses", n, "code"), "address "+a.Code)
		c.address(at("addresses", n, "address"), a.Address)
		c.gln(at("addresses", n, "gln"), a.GLN)
		c.zone(at("addresses", n, "time_zone"), a.Zone)
	}
	return c.done()
}
