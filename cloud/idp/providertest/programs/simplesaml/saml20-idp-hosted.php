<?php
$metadata['http://127.0.0.1:' . getenv('PORT') . '/metadata'] = [
    'host' => '__DEFAULT__',
    'privatekey' => 'key.pem',
    'certificate' => 'cert.pem',
    'auth' => 'people',
    'userid.attribute' => 'uid',
    'SingleSignOnServiceBinding' => [
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
        'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
    ],
];
