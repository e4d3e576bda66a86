<?php
if (file_exists(__DIR__ . '/sp.xml')) {
    $sp = SimpleSAML\Metadata\SAMLParser::parseFile(__DIR__ . '/sp.xml')->getMetadata20SP();
    $metadata[$sp['entityid']] = $sp;
}
