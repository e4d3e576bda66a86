// Package installer owns how the gateway gets onto a machine as a system service
// and off it again: a [Plan] of [Step] values that can be shown, applied and undone.
//
// Called by agent, for the commands install and uninstall. It knows the service
// manager and the file system, and nothing of a directory or a cloud.
//
// In containers/ are the files that images are built by, and compose.yaml, which a test
// runs as it stands, each service as a program in a read-only root of its own.
//
// In helm/ is the chart of the cloud. Tests render it without Helm, hold every flag, file,
// port and refusal, and run its pod in the same way; "make long" compares with Helm itself.
//
// The script packages builds the packages of both programs, with what is in linux/
// and windows/. The tests install those packages, and the program by itself, on a
// machine that systemd or OpenRC has booted (machinetest), and under wine (winetest).
//
// What there is: Linux with systemd, System V or OpenRC, and Windows. On any other
// system [Service] says that it is not supported, and "ldap-gateway run" is to be
// started by other means. System V does not start a service that died; the others do.
//
// # Promises
//
//   - A plan that is shown changes nothing.
//   - Each step is done only if it is not done yet, so an install that was
//     interrupted is finished by running it again. A step that fails has those
//     of this run undone, in reverse.
//   - gateway.hcl is never overwritten, and uninstall leaves it and the state
//     folder, with the keys, unless they are to be purged.
//   - An upgrade by a package turns nobody away. A new program that is not ready
//     within a minute, where the one before was, makes way for that again. An
//     older version is refused; pacman and apk go on all the same, and have the
//     program before put back.
package installer
