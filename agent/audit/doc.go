// Package audit owns the file in which a customer can read what the cloud asked
// of the gateway and what it got: one line of JSON for each request.
//
// Called by agent. It decides nothing and reads nothing back.
//
// # What is in a line
//
//	time, event, instance   always
//	signOn                  ID, user type, entry DN, outcome, reason, bind sent, verdict, number of groups
//	passwordChange          ID, user type, entry DN, outcome, the directory's refusal, reason, bind sent
//	userTypes               revision, and which types were accepted or refused and why
//	link                    opened, closed or refused: the cloud's node, or why
//	frame                   a message that was refused, and why
//
// What costs a cloud nothing is written whole at first and then now and then, so that
// it cannot push everything else out of the file: deliveries, messages that are none,
// and requests that ended before the directory was asked.
//
// # Promises
//
//   - No field can hold a password or what a person typed: people type
//     passwords into the wrong field.
//   - The file and those rotated away have mode 0600.
//   - A disk that is full, or a folder that cannot be written, stops nobody:
//     [Log.Write] has no error. What was lost is counted, told in the log once
//     and by [Log.Err] as long as it lasts, and told in the file afterwards.
//   - Every line is whole: what was written in part is taken back, and a line
//     that a crash left unfinished is ended before the next.
//   - The files together are never larger than MaxSize times Keep+1, a line
//     has at most 64 KB.
//
// # Rotation
//
//	audit.jsonl     being written
//	audit.jsonl.1   before that; the higher the number the older
//
// It is made here, in forty lines without a goroutine, and not by a library:
// those keep no promise about a full disk or about the mode of the file.
package audit
