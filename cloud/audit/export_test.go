package audit

// InSyslog is inSyslog.
var InSyslog = inSyslog
