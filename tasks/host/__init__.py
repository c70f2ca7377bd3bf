"""Operations and facts that know no relay."""
