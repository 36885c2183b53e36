$(dirname $0)/locks
