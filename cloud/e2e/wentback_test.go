package e2e

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"ldap-gateway/cloud/api/client"
)

// TestDatabaseGoesBack puts an older database back, by the tools of each engine and
// without a word to the program. The agents have gone on since, and one has changed its
// keys, also several times: none is a clone, all sign people on, and that the database is
// an older one is told. A state folder that was copied is found as before.
func TestDatabaseGoesBack(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		w := newWorld(t, plan{policy: unlimited})
		w.awaitSignOn()
		w.cloud.stop()
		copyFolder(t, w.dir+"/cloud", w.dir+"/older")
		w.restartCloud()
		for range 3 {
			w.goOn()
		}
		w.cloud.kill()
		must(t, os.RemoveAll(w.dir+"/cloud"))
		copyFolder(t, w.dir+"/older", w.dir+"/cloud")
		w.restartCloud()
		w.checkAfterGoingBack()
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		c := newCluster(t)
		c.awaitSignOn()
		url, err := os.ReadFile(c.dir + "/database")
		must(t, err)
		database := strings.TrimSpace(string(url))
		dump := c.database.Dump(database)
		c.goOn()
		for _, n := range c.nodes {
			n.stop()
		}
		c.database.PutBack(dump, database)
		out, err := exec.Command(programs+"/ldap-cloud", "restore", "--database-file", c.dir+"/database",
			"--master-key", c.dir+"/master.key").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "ldap-cloud run --database-file "+c.dir+"/database --master-key") {
			t.Errorf("%v\n%s", err, out)
		}
		for _, n := range c.nodes {
			c.run(n)
		}
		c.checkAfterGoingBack()
	})
}

// goOn has all agents link again, twice, and the first one change its keys.
func (w *world) goOn() {
	w.t.Helper()
	w.awaitInstances(max(len(w.agents), 1))
	if out, code := w.command("agent1", "", "rotate"); code != 0 {
		w.t.Fatal(out)
	}
	for range 2 {
		for _, m := range w.agents {
			m.stop()
			w.runAgent(m)
		}
	}
	w.awaitSignOn()
}

func (w *world) checkAfterGoingBack() {
	w.t.Helper()
	w.api = &client.Client{URL: w.api.URL, Environment: w.api.Environment, ID: w.api.ID, Secret: w.api.Secret}
	w.awaitInstances(len(w.agents))
	for range 20 {
		w.mustSignOn("alice", "wonderland")
	}
	if w.quarantined() {
		w.t.Error("an instance is in quarantine although the database went back")
	}
	if !w.told("database.wentBack") {
		w.t.Error("nobody is told that the database went back")
	}
	w.copyState("agent1", "clone")
	w.agents[0].stop()
	w.runAgent(w.agents[0])
	start(w.t, w.dir+"/clone.log", programs+"/ldap-gateway", w.args("clone", "run")...)
	w.await("a copied state folder is found", w.quarantined)
}

// copyFolder copies a folder with all that is in it.
func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.Command("cp", "-a", from, to).CombinedOutput(); err != nil {
		t.Fatalf("%s", out)
	}
}
