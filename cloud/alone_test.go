package cloud

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
)

// secondNode is the database on which the test's own program is another node, in a process of its own as nodes are.
const secondNode = "LDAP_CLOUD_TEST_SECOND_NODE"

// serveSecond is that node: it says that it serves, or why it does not.
func serveSecond(t *testing.T, database string) {
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	s := &Server{
		Database:  database,
		MasterKey: os.Getenv(secondNode + "_KEY"),
		Listen:    "127.0.0.1:0",
		Logger:    hclog.NewNullLogger(),
		Ready:     func(string) { t.Log("a second node serves"); stop() },
	}
	if err := s.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		t.Log(err)
	}
}

// second returns what a second node says.
func second(t *testing.T, data, database string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), must1(os.Executable()), "-test.v", "-test.run", "^TestOneNodeAFile$")
	cmd.Env = append(os.Environ(), secondNode+"="+database, secondNode+"_KEY="+filepath.Join(data, "master.key"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Run())
	return out.String()
}

func must1[T any](of T, err error) T {
	if err != nil {
		panic(err)
	}
	return of
}

// Of two nodes on one file the second says why it does not start, and listens to nobody, by whatever name it has the
// file, and whatever is taken away beside it; once the first has ended, another starts.
func TestOneNodeAFile(t *testing.T) {
	if database := os.Getenv(secondNode); database != "" {
		serveSecond(t, database)
		return
	}
	data := t.TempDir() + "/cloud"
	_, err := Init(t.Context(), InFolder(data), "", "E", "http://127.0.0.1")
	must(t, err)
	other := t.TempDir()
	for _, err := range []error{
		os.Symlink(InFolder(data), other+"/link.db"),
		os.Symlink("link.db", other+"/links.db"),
		os.Symlink(data, other+"/folder"),
		os.Link(InFolder(data), other+"/hard.db"),
	} {
		must(t, err)
	}
	for range 2 {
		ready, ended := make(chan string, 1), make(chan error, 1)
		ctx, stop := context.WithCancel(t.Context())
		s := &Server{
			Database: InFolder(data),
			Listen:   "127.0.0.1:0",
			Logger:   hclog.NewNullLogger(),
			Ready:    func(u string) { ready <- u },
		}
		go func() { ended <- s.Run(ctx) }()
		select {
		case <-ready:
		case err := <-ended:
			t.Fatal(err)
		}
		beside, err := filepath.Glob(data + "/*.lock")
		must(t, err)
		for _, path := range beside {
			must(t, os.Remove(path))
		}
		for _, database := range []string{
			InFolder(data), data + "/../cloud/./ldap-cloud.db", InFolder(other + "/folder"), other + "/link.db",
			other + "/links.db", other + "/hard.db",
		} {
			said := second(t, data, database)
			if strings.Contains(said, "serves") || !strings.Contains(said, "another ldap-cloud runs on") {
				t.Errorf("%s: %s", database, said)
			}
		}
		stop()
		must(t, <-ended)
	}
	if said := second(t, data, other+"/links.db"); !strings.Contains(said, "a second node serves") {
		t.Errorf("with no other: %s", said)
	}
}

// SQLite's own locks are as they were: while a node has the file, another program reads and writes it, in its turn.
func TestAloneLeavesTheFileToSQLite(t *testing.T) {
	database := InFolder(t.TempDir() + "/cloud")
	_, err := Init(t.Context(), database, "", "E", "http://127.0.0.1")
	must(t, err)
	release, err := alone(database)
	must(t, err)
	defer func() { must(t, release()) }()
	_, err = ResetAdministrator(t.Context(), database, "", "admin")
	must(t, err)
	must(t, Backup(t.Context(), filepath.Dir(database), t.TempDir()+"/copy"))
	if _, err := alone(database); err == nil {
		t.Error("what opened the file and closed it released it")
	}
}
