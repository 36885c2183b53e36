$(dirname $0)/arguments
