<?php
if (file_exists(__DIR__ . '/sp.xml')) {
    $sp = SimpleSAML\Metadata\SAMLParser::parseFile(__DIR__ . '/sp.xml')->getMetadata20SP();
    $metadata[$sp['entityid']] = json_decode(file_get_contents(__DIR__ . '/answer.json'), true) + $sp;
}
