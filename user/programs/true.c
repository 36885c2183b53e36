/* Does nothing, successfully: the smallest thing to exec. */
int
main(void)
{
	return 0;
}
