$(dirname $0)/places
