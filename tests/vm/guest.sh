# shellcheck shell=sh disable=SC2154
# guest.sh - how a test tells its results, in the guest and on the host alike
#
# ok NAME: TEXT          says PASS
# notok NAME: TEXT       says FAIL
# skip NAME: REASON      says SKIP
# check NAME: COMMAND... runs COMMAND, silently unless it fails
# applets                makes the applets of ./membox callable by their names
#
# A script that sources this ends with status 1 when anything failed, unless it
# names another itself. In a guest script: . ./guest.sh

failed=0
trap 'rc=$?; [ $rc != 0 ] || rc=$failed; exit $rc' EXIT

ok() { echo "PASS $PREFIX$*"; }
skip() { echo "SKIP $PREFIX$*"; }
notok() { echo "FAIL $PREFIX$*"; failed=1; }

check()
{
	_name=$1
	shift
	if _said=$("$@" 2>&1); then
		ok "$_name" "$*"
	else
		_rc=$?
		notok "$_name" "$*" "(status $_rc)"
		echo "$_said" | sed 's/^/# /'
		return 1
	fi
}

applets()
{
	for _a in $(./membox --list); do
		ln -sf membox "$_a"
	done
}
