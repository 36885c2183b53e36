# cpus=1,2,4
$(dirname $0)/signals
