$(dirname $0)/verdict
