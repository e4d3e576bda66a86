// Package machinetest boots a throw-away copy of this machine, by a real systemd or
// OpenRC, for tests of what a package does to a machine and its services.
//
// Called by tests of installer. What is installed here is there too; what is
// written there is in memory, and gone when the test ends. It needs root, systemd,
// dbus, util-linux and iproute2, and overlayfs in the kernel; without them a test
// fails and says what to install, rather than passing untested.
//
// # How
//
// An overlay of / whose upper layer is a tmpfs, and namespaces of its own for
// processes, mounts, network, names, IPC and control groups; the init is process 1
// there. /proc/sys is read-only, so it cannot change this machine.
//
// # Promises
//
//   - Boot returns when the machine is up. Of the services that this machine has
//     enabled none runs there.
//   - Reboot keeps the files and ends every process, as a power cut does.
//   - Changes tells every file that differs from this machine's.
//   - The network is one loopback interface; [Machine.Inside] and [Machine.Dial]
//     reach it, and what Inside starts outlives a reboot.
//
// # Never
//
// It never changes a file of this machine. Limits of control groups (MemoryMax=)
// are accepted there and not enforced where the kernel has version 1 in use.
package machinetest
