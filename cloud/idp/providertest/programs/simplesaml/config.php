<?php
// A SAML provider on loopback, by SimpleSAMLphp. People and how to answer are in
// people.json and answer.json, what we are in sp.xml; all are read at each request. A
// person's password is the name.
$here = __DIR__;
$config = [
    'baseurlpath' => 'http://127.0.0.1:' . getenv('PORT') . '/',
    'certdir' => "$here/",
    'loggingdir' => "$here/",
    'datadir' => "$here/",
    'tempdir' => "$here/",
    'metadatadir' => "$here/",
    'secretsalt' => 'of a test',
    'technicalcontact_email' => 'nobody@example.org',
    'logging.handler' => 'errorlog',
    'enable.saml20-idp' => true,
    'module.enable' => ['exampleauth' => true],
    'session.phpsession.savepath' => $here,
    'session.cookie.secure' => false,
    'session.cookie.samesite' => null,
    'language.cookie.secure' => false,
    'language.cookie.samesite' => null,
];
