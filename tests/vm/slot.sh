# slot.sh - sourced by what boots a machine: waits until fewer than
# MEMBOX_VM_JOBS (2) others run. Needs CACHE; holds descriptor 8, which the
# caller closes when its machine is down.

# The slot is the open file: whatever way this process ends, it is given back
# when the last of its children is gone.
take_slot()
{
	mkdir -p "$CACHE/slots"
	while :; do
		i=0
		while [ $((i += 1)) -le "${MEMBOX_VM_JOBS:-2}" ]; do
			exec 8>"$CACHE/slots/$i"
			! flock -n 8 || return 0
		done
		sleep 0.3
	done
}
