#!/bin/sh
# compile.sh GO FOLDER PACKAGE: compiles a program into a folder, and says how far it is, since the
# first time takes minutes. What is compiled already is not compiled again, and not spoken of.
set -eu
go=$1 folder=$2 package=$3

all=$("$go" list -deps "$package" | wc -l)
began=$(date +%s)
{ "$go" build -v -o "$folder" "$package" 2>&1 && echo ":compiled"; } | {
	count=0 ended=1
	while IFS= read -r line; do
		case $line in
		:compiled) ended=0 ;;
		"" | "#"* | *" "*) printf '%s\n' "$line" ;; # a module on its way, or what is wrong
		*)
			count=$((count + 1))
			if [ "$count" -eq 1 ]; then
				echo "Compiling, of $all packages those that are not yet: two or three minutes, the first time."
			elif [ $((count % 25)) -eq 0 ]; then
				echo "  $count packages, after $(($(date +%s) - began)) s"
			fi
			;;
		esac
	done
	if [ "$count" -gt 0 ] && [ "$ended" -eq 0 ]; then
		echo "Compiled $count packages in $(($(date +%s) - began)) s."
	fi
	exit "$ended"
}
