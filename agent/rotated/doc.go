// Package rotated owns files that lines are added to: each bounded in size, and so
// many older ones kept beside it as NAME.1, NAME.2 and so on.
//
// Called by agent/audit, and by agent/service for the log of the Windows service.
// It knows nothing of what a line says.
//
// # Promises
//
//   - A file is readable by its owner only, and lies in a folder that is.
//   - A line is written whole or not at all; one that the power cut short is ended
//     before the next begins.
//   - After an error the next write begins with a fresh look at the file.
package rotated
