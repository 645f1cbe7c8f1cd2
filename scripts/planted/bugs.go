package main

// bug is a defect behind the build tag bug_<name>, and the tests that fail with it.
type bug struct {
	name   string
	breaks string // what the code does with it
	pkg    string // of the tests
	run    string // the tests, as go test -run takes them
}

// bugs are all that there are; TestPairs holds the code against the list.
var bugs = []bug{
	{"local_read", "decides on a read that a fail-over takes back", "./libs/store", "^TestReadOfWhatVanishes$"},
	{"lookup_first", "looks up the receipt, then loads", "./libs/store", "^TestMongoDB$/^M39"},
	{"no_floor", "forgets derived receipts that left the ring", "./libs/store", "^Test(MongoDB|SQLite)$/^M07"},
	{"w1", "writes with w:1", "./libs/store", "^TestKilledMongod$"},
	{"answer_first", "answers before the commit is acknowledged", "./libs/store", "^TestKilledWriter$"},
	{"refusal_from_copy", "refuses from a copy, without a commit", "./libs/store", "^TestMongoDB$/^M21"},
	{"gap", "a recorder takes any newer fact for the next", "./libs/bus/bustest", "^TestMemory$/^a_recorder_whose_rows"},
	{"lost", "a consumer passes over numbers that are missing", "./libs/bus/bustest", "^TestMemory$/^duplicates"},
	{"position", "a position stands for facts still worked on", "./libs/bus/bustest", "^TestMemory$/^consumer_ended"},
	{"retry", "the gateway's connections try changes again", "./libs/host", "^TestQueriesAreTriedAgainChangesAreNot$"},
	{"tombstone", "gives back without a tombstone", "./services/inventory-movement/internal/domain", "^TestALateAllocationFindsTheOrderClosed$"},
}

func (b bug) tag() string { return "bug_" + b.name }

// command is how one runs it by hand.
func (b bug) command() string { return "go test -tags " + b.tag() + " -run '" + b.run + "' " + b.pkg }
