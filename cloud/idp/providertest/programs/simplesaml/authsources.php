<?php
$config = ['people' => ['exampleauth:UserPass']];
foreach (json_decode(file_get_contents(__DIR__ . '/people.json'), true) as $who => $attributes) {
    $config['people']["$who:$who"] = $attributes + ['uid' => [$who]];
}
