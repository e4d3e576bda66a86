// Package signonpage owns what a person who signs on sees: one page for each
// environment, and the session of their browser.
//
// The cloud's web server gives it every request below /ENVIRONMENT/signon and the first page, and
// asks it who has signed on in a browser. It proves nobody: a password goes to
// signon, a ticket to kerberos, a provider's answer to idp, a second factor to factors. It knows
// applications only as Flows does.
//
//	GET  /                              for who knows the cloud's name alone: leads to an environment or the console
//	GET  /ENVIRONMENT/signon/colours.css, logo.png   how its pages look
//	GET  /NAME                          the short name of an environment leads to its page, as /NAME/signon does
//	GET  /ENVIRONMENT/signon            the form; with ?flow= for an application; a ticket when the browser brings one
//	POST /ENVIRONMENT/signon            the password
//	GET  /ENVIRONMENT/signon/password   the form for another one; who is not signed on does so first
//	POST /ENVIRONMENT/signon/password   another password, when the directory wants one
//	POST /ENVIRONMENT/signon/confirm    going on as who is signed on, after the page asked
//	GET  /ENVIRONMENT/signon/factor     a second factor is asked for; who has none is led on to set one up
//	POST /ENVIRONMENT/signon/factor     a one-time password, a recovery code, or what a passkey answered
//	GET  /ENVIRONMENT/signon/factor/new a factor is set up; new.png is its picture
//	POST /ENVIRONMENT/signon/factor/new the proof that it works
//	GET  /ENVIRONMENT/signon/factor/codes recovery codes, others each time
//	POST /ENVIRONMENT/signon/factor/codes those of the page are kept, as the person says
//	GET  /ENVIRONMENT/signon/factors    the person's own, to see and change
//	POST /ENVIRONMENT/signon/factors    one is given up
//	GET  /ENVIRONMENT/signon/decline    the application is told that the person does not want to
//	POST /ENVIRONMENT/signon/sessions   another of the person's sessions ends, or all others
//	POST /ENVIRONMENT/signon/off        the session ends; the page leads to a provider's sign-off, or an application
//	GET  /ENVIRONMENT/signon/off        back from there; for an application it asks whether to sign off
//	GET  /ENVIRONMENT/signon/ticket     a test page, which says in words how a ticket would fare
//	POST /ENVIRONMENT/signon/next       the username alone: its domain may lead to a provider
//	GET  /ENVIRONMENT/signon/idp/ID     on to a provider
//	GET  /ENVIRONMENT/signon/idp/arrive back from SAML's answer, with the cookie
//
// /.well-known/change-password, with or without an environment, leads to the form for another password. An address
// that nothing is at is told in a page to people and in JSON to programs, whoever is asked for it.
//
// The addresses that a provider is given are idp's: CallbackPath, ACSPath, MetadataPath.
//
// # Policies
//
// An application goes by the first of its own sign-on policies, or by the one of them that
// it names in acr_values; without any, by the default one:
//
//	LOGIN              name and password at once, beside links to the providers that it names
//	IDENTIFIER_FIRST   the name; a rule that it fits leads to a provider, else the password
//	IDENTITY_PROVIDER  straight to the provider; the page is for who comes back from there
//	MULTI_FACTOR_AUTHENTICATION  a second factor, after one of the others
//
// An own policy is all that there is for its application: a provider that it does not lead
// to is 404, and a sign-on of before counts if the policy would have led to it. The default
// one has besides, unless it names providers, all that are enabled, and their domains.
//
// # Tickets
//
// A browser is asked for a ticket (401, Negotiate) when the application wants it,
// when its address is in a network that a gateway names, and when the person
// follows the link. That answer has the form in it, so a browser without a ticket
// shows the form at once. A ticket that is not taken gets the form with status
// 200 and one sentence: nothing asks twice.
//
// # Second factor
//
// It is asked of who goes by a policy that says so, by an application that does, and of whom a program
// has set mfaEnabled for. What counts for the person's own pages and the console is the default policy;
// and whoever has a factor gives it there for the console. Who has none sets one up, after the first proof.
//
//	first proof ──► half: ten minutes, in this browser, good for nothing but the page that asks
//	            ──► factor given ──► session, which says which factor
//	session without one ──► the page asks for the factor alone, where one is wanted by now
//
// # Promises
//
//   - What counts is what is wanted when a request is answered, and never what was when the page before it was
//     shown: by policy, user, application and provider. Whoever lacks something by now is asked for that
//     alone; who was asked for a second factor goes on without when none is wanted any more. That ends with
//     the code or the assertion, for which it is looked at last.
//   - Where a second factor is wanted, nothing is reached without: no application, no page of the
//     person's own, no console. Where no page may be shown, the application has its answer.
//   - Recovery codes count once the person has said that they keep them. Until then the page shows others each
//     time, and comes again after each factor that is given; those of before are good meanwhile.
//   - Of two windows, or browsers, in which a factor is set up at once, one sets it up, and the other says so.
//   - Where a policy turns away who has no factor, nobody sets one up on the way.
//   - A factor is set up by who has none and gave the first proof within ten minutes, and changed by who
//     gave one that they have within ten minutes: a session that was stolen changes none.
//   - Every page works without scripts, but for using a passkey. The Content-Security-Policy allows
//     one, which stands in the page: it shows the password, tells of caps lock and of a directory that
//     takes long, sends a form once, asks the browser for a passkey, copies and prints recovery codes, and
//     writes times as the reader's clock has them.
//   - A POST that a browser sent for another site is refused before it is read, but for
//     SAML's answer, which signs nobody on by itself.
//   - Whoever comes when too much is under way is told so in a page, with 503 and Retry-After, and
//     finds what they typed but the password.
//   - What is held of SAML's answers is bounded, in all and of one network, and half of
//     the processors never works on them.
//   - Somebody who is signed on is asked before an application learns of it that wants that
//     (select_account, consent), or whose hint is another's name; a browser that was not asked
//     cannot say yes.
//   - Where an application wants that the person prove anew who they are, no ticket is asked
//     for by itself.
//   - Where an application wants no page, none is shown: not a form for a provider either.
//   - Where a provider's text is shown, it is text, and short.
//   - A name decides by how it is written whether it leads to a provider, so that nobody
//     learns from it who has an account. Whose account is linked to a provider finds the
//     link to it on the page, and is not sent there for it.
//   - A session has a new token after each sign-on, and after a second factor. Its cookie is for this host
//     alone, and sent over nothing but TLS when people reach the cloud so. It ends
//     after two hours without a request, after twelve, at signing off, and when
//     the user is disabled.
//   - Somebody who is signed on for no application has a page of their own: the applications that
//     they may use and that say where they begin, and where else they are signed on, each of
//     which they end. An address of an application is a link only when it is one of the network.
//   - What a person is told is the sentence of signon, of kerberos, or that this
//     did not work. It never says whether an account exists.
//   - After a sign-off nobody is sent straight to a provider, where somebody may still be
//     signed on: the page is shown, or the application told that nobody is.
//   - The first page names an environment when it is the only one, or when somebody is signed on to
//     it in this browser; another is found by its whole name alone.
//   - A password is in no page, no address and no log.
package signonpage
