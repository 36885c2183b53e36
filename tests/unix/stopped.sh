$(dirname $0)/stopped
