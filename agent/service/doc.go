// Package service owns life under a service manager: it tells systemd or the
// Windows service manager how the program is, takes their wishes, and logs where
// they keep logs.
//
// Called by agent, for "run". It never decides when the program is ready or alive,
// and it knows nothing of a directory or a cloud.
//
//	systemd    sd_notify(3) over NOTIFY_SOCKET, the watchdog, SIGHUP; journald's own protocol, with fields
//	Windows    service states, with a stop that cannot hang; event log, and files that are rotated
//	neither    SIGHUP where there is one; standard error
//
// # Promises
//
//   - Without a manager every call does nothing, and costs nothing.
//   - A manager that takes no messages stops nobody: what cannot be told is dropped.
//   - A log line is never lost because of where it goes: what journald or the event
//     log refuses is on standard error or in the file.
package service
