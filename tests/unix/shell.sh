# shells=sh,bash,mksh
# Pipes, redirections, here-documents, functions, loops, substitutions.
echo one two | cat
echo b a c | tr ' ' '\n' | sort | tr '\n' ' '; echo
cat <<END
here $((1 + 2)) and $(echo there)
END
cat <<'END'
quoted $HOME
END
f() { echo "f got $# arguments: $*"; return 3; }
f x y z; echo "returned $?"
for i in 1 2 3; do printf '%s-' $i; done; echo
i=0; while [ $i -lt 5 ]; do i=$((i + 1)); done; echo $i
case abc in a*) echo star;; *) echo none;; esac
echo out > file; echo more >> file; cat < file
cat nothing 2>&1 | sed 's/^cat: //'
(echo sub; exit 7); echo "status $?"
{ echo group; } 2>/dev/null
x=$(cat file | wc -l); echo "lines $x"
echo "a:b:c" | { IFS=: read p q r; echo "$r$q$p"; }
set -- 1 2 3; shift; echo "$@"
echo ${x:-unset} ${y:-default} ${#HOME}
true && echo yes || echo no
false && echo yes || echo no
trap 'echo trapped' EXIT
! false; echo $?
printf '%05d|%-5s|%x\n' 42 ab 255
exec 3> three; echo to three >&3; exec 3>&-; cat three
seq 1 1000 | tail -1
yes | head -3
echo abc | sed 's/b/X/' | awk '{ print $1 "!" }'
