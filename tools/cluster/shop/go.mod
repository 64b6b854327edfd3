module bluegreen/tools/cluster/shop

go 1.25.0
