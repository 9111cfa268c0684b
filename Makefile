# Everything goes through bootstrap.py, which makes .venv and installs what the locks name.
# Arguments are passed on with ARGS: make test ARGS="tests/infra -k broker"
PYTHON ?= python3
BOOTSTRAP = $(PYTHON) bootstrap.py
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup run demo test test-pg check fmt bench chaos kills histories lock

help: ## show these targets / 显示可用目标
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## install into .venv / 安装到 .venv
	@$(BOOTSTRAP) setup

run: ## start the hub / 启动 hub
	@$(BOOTSTRAP) run $(ARGS)

demo: ## start the hub with a real ERP and two CRM stand-ins / 启动完整演示
	@$(BOOTSTRAP) demo $(ARGS)

test: ## run the tests / 运行测试
	@$(BOOTSTRAP) test $(ARGS)

test-pg: ## run the tests that need PostgreSQL / 仅运行 PostgreSQL 相关测试
	@$(BOOTSTRAP) test -m pg $(ARGS)

check: ## format, lint, types, import contracts, tests: what CI runs / 全部检查
	@$(BOOTSTRAP) check $(ARGS)

fmt: ## format the code and mend what can be mended / 格式化代码
	@$(BOOTSTRAP) fmt

bench: ## run the benchmarks / 运行性能测试
	@$(BOOTSTRAP) bench $(ARGS)

chaos: ## edits, faults and kills for CHAOS_MINUTES (10) / 混沌测试，默认 10 分钟
	@$(BOOTSTRAP) chaos $(ARGS)

kills: ## kill the hub at 100 random moments / 在 100 个随机时刻强制终止进程
	@$(BOOTSTRAP) kills $(ARGS)

histories: ## 10,000 random histories; ARGS="0 500" runs a range of seeds / 随机历史
	@$(BOOTSTRAP) histories $(ARGS)

lock: ## write the lock files anew after a change of versions / 更新锁文件
	@$(BOOTSTRAP) lock
