$(dirname $0)/busy
