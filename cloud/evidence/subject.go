package evidence

import (
	"strings"
	"unicode/utf8"
)

// CheckSubject refuses a subject that is blank, longer than most characters, or has
// characters that a store may change: two people must never become one by that. What it
// takes is compared as it is.
func CheckSubject(subject string, most int) error {
	n := utf8.RuneCountInString(subject)
	switch {
	case strings.TrimSpace(subject) == "":
		return Refuse(NoSubject, "the subject is empty or blank")
	case n > most:
		return Refuse(NoSubject, "the subject has %d characters", n)
	case strings.ContainsFunc(subject, unreadable):
		return Refuse(BadSubject, "the subject has line ends, control characters or broken ones")
	}
	return nil
}
