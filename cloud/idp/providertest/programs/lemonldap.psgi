# A provider of OpenID Connect and SAML on loopback, by LemonLDAP::NG. People are in
# people.json, what it knows of us in clients.json and sp.xml, other settings in
# answer.json; all are read at its start. A person's password is the name.
use strict;
use warnings;
use Cwd qw(getcwd);
use JSON qw(decode_json encode_json);

my ( $port, $here ) = ( $ENV{PORT}, getcwd() );

sub text {
    my ($name) = @_;
    open my $file, '<', $name or return '';
    local $/;
    return scalar <$file>;
}

sub written {
    my ( $name, $text ) = @_;
    open my $file, '>', $name or die "$name: $!";
    print {$file} $text;
    close $file or die "$name: $!";
}

my $people  = decode_json( text('people.json') );
my $clients = decode_json( text('clients.json') || '{}' );
my $answer  = decode_json( text('answer.json') || '{}' );
my ( $key, $certificate, $sp ) = ( text('key.pem'), text('cert.pem'), text('sp.xml') );
my %vars = ( email => 'mail', name => 'cn', groups => 'groups', preferred_username => 'uid' );

my %settings = (
    cfgNum              => 1,
    cfgDate             => 1,
    locationRules       => { '127.0.0.1' => { default => 'accept' } },
    exportedHeaders     => {},
    captcha             => 'NoCaptcha', # it is never asked; the usual one wants a library of images
    cfgVersion          => '2.16.1',
    portal              => "http://127.0.0.1:$port/",
    domain              => '127.0.0.1',
    cookieName          => 'lemonldap',
    securedCookie       => 0,
    authentication      => 'Demo',
    userDB              => 'Same',
    passwordDB          => 'Null',
    registerDB          => 'Null',
    requireToken        => 0,
    exportedVars        => { uid => 'uid', cn => 'cn', mail => 'mail' },
    globalStorage       => 'Apache::Session::File',
    globalStorageOptions => { Directory => "$here/sessions", LockDirectory => "$here/sessions" },
    issuerDBOpenIDConnectActivation => 1,
    oidcServicePrivateKeySig => $key,
    oidcServicePublicKeySig  => $certificate,
    oidcServiceKeyIdSig      => 'first',
    oidcRPMetaDataOptions    => $clients,
    oidcRPMetaDataExportedVars => { map { $_ => \%vars } keys %{$clients} },
    oidcRPMetaDataOptionsExtraClaims => { map { $_ => { groups => 'groups' } } keys %{$clients} },
    issuerDBSAMLActivation   => 1,
    samlServicePrivateKeySig => $key,
    samlServicePublicKeySig  => $certificate,
    (   $sp
        ? ( samlSPMetaDataXML => { us => { samlSPMetaDataXML => $sp } },
            samlSPMetaDataExportedAttributes => { us => { groups => '1;groups;;', mail => '0;mail;;' } },
            samlSPMetaDataOptions => { us => $answer },
          )
        : ()
    ),
);

mkdir $_ for qw(conf sessions cache);
written( 'conf/lmConf-1.json', encode_json( \%settings ) );
written( 'lemonldap-ng.ini', <<"END");
[all]
logLevel = warn
logger = Lemonldap::NG::Common::Logger::Std
[configuration]
type = File
dirName = $here/conf
localStorage = Cache::FileCache
localStorageOptions = {'namespace' => 'conf', 'cache_root' => '$here/cache', 'cache_depth' => 1}
[portal]
staticPrefix = /static
templateDir = $ENV{LEMONLDAP}/portal/templates
languages = en
END
$ENV{LLNG_DEFAULTCONFFILE} = "$here/lemonldap-ng.ini";

{
    package NoCaptcha;
    require Mouse;
    Mouse->import;
    extends('Lemonldap::NG::Common::Module');
    sub init { return 1 }
    $INC{'NoCaptcha.pm'} = 1;
}
require Lemonldap::NG::Portal::Main;
require Lemonldap::NG::Portal::UserDB::Demo;
%Lemonldap::NG::Portal::UserDB::Demo::demoAccounts = ();
%Lemonldap::NG::Portal::UserDB::Demo::demoGroups = ();
for my $who ( keys %{$people} ) {
    $Lemonldap::NG::Portal::UserDB::Demo::demoAccounts{$who} =
        { uid => $who, cn => $who, mail => "$who\@example.org" };
    push @{ $Lemonldap::NG::Portal::UserDB::Demo::demoGroups{$_} }, $who for @{ $people->{$who} };
}

# A cookie of an address has no domain, and this one's begins with a dot.
my $portal = Lemonldap::NG::Portal::Main->run( {} );
sub {
    my $answer = $portal->(@_);
    s/domain=[^;]*; // for @{ $answer->[1] };
    return $answer;
};
