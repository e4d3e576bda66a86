// Package handbook owns the administrator's handbook: its pages in Markdown, which the
// console shows under Help, so that what is read is of the version that runs.
//
// The console asks for a page as HTML. Nothing of an environment is in it, and nothing
// that anybody else wrote: the pages are of this program. Three of them are made from the
// code by tests: the commands of both programs, and every key of gateway.hcl. So are the
// pictures, of the console as a browser shows it, each beside the words that it was taken with.
package handbook
