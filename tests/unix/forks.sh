# cpus=2
$(dirname $0)/forks
