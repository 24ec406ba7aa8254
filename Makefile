# A thin alias for people whose fingers type make; ./dev is the tool.
.PHONY: demo test check bench lock clean
demo test check bench lock clean:
	@./dev $@
